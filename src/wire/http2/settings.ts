import {
  defaultFrameBytes,
  errorCode,
  flag,
  frameHeadBytes,
  frameType,
  readUint32,
  writeFrameHead,
  writeUint32,
} from "./frame.ts";

/** Parameters of RFC 9113 section 6.5.2, RFC 8441 section 3 and RFC 9218 section 2.1. */
export const setting = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  enableConnectProtocol: 8,
  noPriorities: 9,
} as const;

/** What a peer allows, before it says otherwise. */
export interface Settings {
  headerTableSize: number;
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
  enableConnectProtocol: boolean;
}

export const maxWindow = 0x7fffffff;

/** The initial values of RFC 9113 section 6.5.2. */
export function initialSettings(): Settings {
  return {
    headerTableSize: 4096,
    maxConcurrentStreams: 0xffffffff,
    initialWindowSize: 65_535,
    maxFrameSize: defaultFrameBytes,
    maxHeaderListSize: 0xffffffff,
    enableConnectProtocol: false,
  };
}

/** Reads the payload of a SETTINGS frame into `settings`. Returns 0 or an error code; unknown parameters are passed over. */
export function readSettings(bytes: Uint8Array, start: number, end: number, settings: Settings): number {
  if ((end - start) % 6 !== 0) return errorCode.frameSize;
  for (let at = start; at < end; at += 6) {
    const value = readUint32(bytes, at + 2);
    const error = readOne(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0), value, settings);
    if (error !== 0) return error;
  }
  return 0;
}

function readOne(id: number, value: number, settings: Settings): number {
  switch (id) {
    case setting.headerTableSize:
      settings.headerTableSize = value;
      return 0;
    case setting.enablePush:
      return value > 1 ? errorCode.protocol : 0;
    case setting.maxConcurrentStreams:
      settings.maxConcurrentStreams = value;
      return 0;
    case setting.initialWindowSize:
      if (value > maxWindow) return errorCode.flowControl;
      settings.initialWindowSize = value;
      return 0;
    case setting.maxFrameSize:
      if (value < defaultFrameBytes || value > 0xffffff) return errorCode.protocol;
      settings.maxFrameSize = value;
      return 0;
    case setting.maxHeaderListSize:
      settings.maxHeaderListSize = value;
      return 0;
    case setting.enableConnectProtocol:
      if (value > 1 || (settings.enableConnectProtocol && value === 0)) return errorCode.protocol;
      settings.enableConnectProtocol = value === 1;
      return 0;
    default:
      return 0;
  }
}

/** A SETTINGS frame with these parameters. */
export function renderSettings(values: readonly (readonly [id: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(frameHeadBytes + values.length * 6);
  writeFrameHead(bytes, 0, { length: values.length * 6, type: frameType.settings, flags: 0, stream: 0 });
  for (const [index, [id, value]] of values.entries()) {
    const at = frameHeadBytes + index * 6;
    bytes[at + 1] = id;
    writeUint32(bytes, at + 2, value);
  }
  return bytes;
}

/** The answer to a SETTINGS frame. */
export const settingsAck: Buffer = Buffer.alloc(frameHeadBytes);
writeFrameHead(settingsAck, 0, { length: 0, type: frameType.settings, flags: flag.ack, stream: 0 });
