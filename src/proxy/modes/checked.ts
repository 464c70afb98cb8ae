/** A number that is one, in its range; what the API let through is checked again before it goes into a command. */
export function whole(value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new Error(`not a number from ${least} to ${most}: ${JSON.stringify(value)}`);
}

const octet = "(?:0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const addressPattern = new RegExp(`^${octet}(?:\\.${octet}){3}$`);

/** The text of an IPv4 address, which it is held to be: nothing else can get into a command. */
export function address4(text: string): string {
  if (!addressPattern.test(text)) throw new Error(`not an IPv4 address: ${JSON.stringify(text)}`);
  return text;
}
