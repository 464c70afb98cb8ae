import type { ObjectMeta } from "../../meta/object.ts";

/** One state of a controller's object that can be gone back to; `kubectl rollout history` and `undo` read them. */
export interface ControllerRevision {
  apiVersion: "apps/v1";
  kind: "ControllerRevision";
  metadata: ObjectMeta;
  /** For a DaemonSet, the strategic merge patch that brings its template back. */
  data?: Record<string, unknown>;
  revision: number;
}
