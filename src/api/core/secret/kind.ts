import type { ObjectMeta } from "../../meta/object.ts";

export interface Secret {
  apiVersion: "v1";
  kind: "Secret";
  metadata: ObjectMeta;
  type?: string;
  /** Base64. */
  data?: Record<string, string>;
  /** Write-only: merged into `data` by the API server and never stored. */
  stringData?: Record<string, string>;
  immutable?: boolean;
}
