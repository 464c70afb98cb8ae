import type { ObjectMeta } from "../../meta/object.ts";
import type { ObjectReference } from "../endpoints/kind.ts";

export interface Event {
  apiVersion: "v1";
  kind: "Event";
  metadata: ObjectMeta;
  involvedObject: ObjectReference;
  reason?: string;
  message?: string;
  type?: "Normal" | "Warning";
  source?: { component?: string; host?: string };
  firstTimestamp?: string | null;
  lastTimestamp?: string | null;
  eventTime?: string | null;
  count?: number;
  action?: string;
  series?: { count: number; lastObservedTime: string };
  related?: ObjectReference;
  reportingComponent?: string;
  reportingInstance?: string;
}
