import type { BackendEndpoint } from "../table.ts";

/** `10.0.0.3:80`, `[2001:db8::1]:80` */
export function endpointName({ address, port }: BackendEndpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
