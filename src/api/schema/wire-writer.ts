/** Writes the wire format of protobuf, a field at a time. */
export function bytesField(number: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([varint((number << 3) | 2), varint(value.length), value]);
}

export function textField(number: number, value: string): Uint8Array {
  return bytesField(number, Buffer.from(value));
}

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Uint8Array.from([...bytes, rest]);
}
