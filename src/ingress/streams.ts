import type { Problem } from "#routing/because.ts";
import type { StreamCompiler } from "#routing/streams/compiler.ts";
import type { StreamTimes } from "#routing/streams/stream.ts";
import type { IngressOptions } from "./options.ts";

/** How long endpoints of streams are waited for, as nginx does where ingress-nginx leaves it open. */
const connectMs = 60_000;
/** How long a silent UDP session is kept. ingress-nginx ends sessions with their first answer. */
const udpIdleMs = 60_000;

/** 0 tries are any number, as everywhere in nginx. */
export function streamTimes({ streamMs, streamRetries, streamTries }: IngressOptions): StreamTimes {
  const tries = streamTries === 0 ? Infinity : streamTries;
  return { connectMs, tcpIdleMs: streamMs, udpIdleMs, tries: streamRetries ? tries : 1 };
}

/** What is wrong with streams whose port the data plane cannot have. */
export function refusedPorts(
  refused: ReadonlyMap<string, string>,
  streams: Pick<StreamCompiler, "sourceOf">,
): readonly Problem[] {
  return [...refused].flatMap(([id, code]) => {
    const at = streams.sourceOf(id);
    if (at === undefined) return [];
    const words = code === "EADDRINUSE" ? "another program has it" : code;
    const message = `${at.field}: port ${id.slice(4)} cannot be opened: ${words}; free it, or choose another one`;
    return [{ at, code: "stream-port-refused", message }];
  });
}
