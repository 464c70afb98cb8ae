import { admissionTexts } from "./admission.ts";
import { clusterTexts } from "./cluster.ts";
import { containerTexts } from "./container.ts";
import { metaTexts } from "./meta.ts";
import { podTexts } from "./pod.ts";
import { reviewTexts } from "./review.ts";
import { serviceTexts } from "./service.ts";
import { volumeTexts } from "./volume.ts";
import { webhookTexts } from "./webhook.ts";
import { workloadTexts } from "./workload.ts";

/**
 * What the messages and fields of the API mean, in our own words: what `kubectl explain` prints. Kept as text like the
 * messages themselves, and loaded only when somebody asks for OpenAPI.
 *
 *     package.Message [< package.Base]: what the message is
 *       field[!][[VALUE …]]: what the field means
 *
 * `!` marks a field that must be given, values in brackets are all it may have, and what a message does not describe
 * itself it takes from its base. Messages of the package `any` are bases only. A line that is indented by four or more
 * goes on from the one before.
 */
const texts = [
  metaTexts,
  admissionTexts,
  clusterTexts,
  serviceTexts,
  podTexts,
  containerTexts,
  volumeTexts,
  workloadTexts,
  webhookTexts,
  reviewTexts,
];

export interface FieldText {
  readonly text: string;
  readonly isRequired: boolean;
  /** All values the field may have; empty when there is no such list. */
  readonly values: readonly string[];
}

export interface MessageText {
  readonly text: string;
  readonly base?: string;
  readonly fields: ReadonlyMap<string, FieldText>;
}

let known: ReadonlyMap<string, MessageText> | undefined;

/** Every message that is described, bases included. */
export function messageTexts(): ReadonlyMap<string, MessageText> {
  known ??= new Map(
    texts
      .flatMap((text) =>
        text
          .trim()
          .replaceAll(/\n {3,}/g, " ")
          .split(/\n(?! )/),
      )
      .map(readMessage),
  );
  return known;
}

/** What a message is; `undefined` when nobody wrote it down, which a test forbids. */
export function describeMessage(message: string): string | undefined {
  return messageTexts().get(message)?.text;
}

/** What a field means: the message's own words, or those of its nearest base that has some. */
export function describeField(message: string, field: string): FieldText | undefined {
  const described = messageTexts().get(message);
  const own = described?.fields.get(field);
  if (described?.base === undefined || (own !== undefined && own.text !== "")) return own;
  const inherited = describeField(described.base, field);
  if (own === undefined || inherited === undefined) return own ?? inherited;
  // `field!:` alone says only that here it must be given.
  return { ...inherited, isRequired: true };
}

function readMessage(lines: string): [string, MessageText] {
  const [head = "", ...fields] = lines.split("\n");
  const [, name = "", base, text = ""] = /^([\w.]+)(?: < ([\w.]+))?: (.*)$/.exec(head) ?? [];
  return [name, { text, ...(base === undefined ? {} : { base }), fields: new Map(fields.map(readField)) }];
}

function readField(line: string): [string, FieldText] {
  const [, name = "", mark, values = "", text = ""] = /^ {2}(\w+)(!?)(?:\[([^\]]*)\])?:(?: (.*))?$/.exec(line) ?? [];
  return [name, { text, isRequired: mark === "!", values: values === "" ? [] : values.split(" ") }];
}
