/** Statuses of gRPC for those of HTTP, as the mapping in the gRPC documents has them; UNKNOWN for all others. */
const statuses: Readonly<Record<number, number>> = {
  400: 13,
  401: 16,
  403: 7,
  404: 12,
  429: 14,
  502: 14,
  503: 14,
  504: 14,
};
const unknown = 2;

/** Whether a request with this content type expects an answer of gRPC. */
export function isGrpc(contentType: string): boolean {
  return /^application\/grpc(?:[+;]|$)/i.test(contentType);
}

/** What an answer of ours says to a client of gRPC: HTTP's status and the page have no meaning for it. */
export function grpcFields(status: number, reason: string): readonly (readonly [name: string, value: string])[] {
  return [
    ["content-type", "application/grpc"],
    ["grpc-status", String(statuses[status] ?? unknown)],
    ["grpc-message", `${status} ${reason}`],
  ];
}
