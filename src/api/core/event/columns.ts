import type { Column } from "../../kind.ts";
import { ageSince } from "../../meta/age.ts";
import { nameColumn, textColumn, wideColumn } from "../../meta/columns.ts";
import type { Event } from "./kind.ts";

function firstSeen({ firstTimestamp, eventTime }: Event, now: number): string {
  return ageSince(firstTimestamp ?? eventTime, now);
}

function lastSeen(event: Event, now: number): string {
  const last = event.series?.lastObservedTime ?? event.lastTimestamp;
  return last == null ? firstSeen(event, now) : ageSince(last, now);
}

function objectText({ involvedObject: { kind = "", name = "" } }: Event): string {
  return kind === "" ? name : `${kind.toLowerCase()}/${name}`;
}

function sourceText({ source, reportingComponent, reportingInstance }: Event): string {
  const component = source?.component || reportingComponent || "";
  const host = source?.host || (source?.component ? "" : reportingInstance) || "";
  return host === "" ? component : `${component}, ${host}`;
}

export const eventColumns: readonly Column<Event>[] = [
  textColumn("Last Seen", lastSeen),
  textColumn("Type", ({ type }) => type ?? ""),
  textColumn("Reason", ({ reason }) => reason ?? ""),
  textColumn("Object", objectText),
  wideColumn("Subobject", ({ involvedObject }) => involvedObject.fieldPath ?? ""),
  wideColumn("Source", sourceText),
  textColumn("Message", ({ message }) => (message ?? "").trim()),
  wideColumn("First Seen", firstSeen),
  wideColumn("Count", ({ series, count }) => String(series?.count ?? count ?? 1)),
  { ...nameColumn, priority: 1 },
];
