/** What is asked of something with a resource. */
export interface ResourceAttributes {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Of a list, a watch or a deletion of many, as it was written. */
  readonly fieldSelector?: string;
}

/** What is asked: something with a resource, or a plain path. */
export type Attributes = ResourceAttributes | { readonly verb: string; readonly path: string };
