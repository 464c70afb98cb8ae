/**
 * Why a table entry is there: the objects and revisions it was compiled from, and who wanted the same place and lost.
 * Data planes ignore it; explanations read it, so that they can never disagree with the behaviour.
 */
export interface Because {
  readonly from: readonly Source[];
  readonly losers?: readonly Loser[];
}

export interface Source {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly revision?: string;
  /** The field that decided, e.g. `spec.ports[0].nodePort`. */
  readonly field?: string;
}

export interface Loser extends Source {
  /** One sentence: why it lost. */
  readonly reason: string;
}

/** Something in an object that could not be used. The rest of the object and all other objects still work. */
export interface Problem {
  readonly at: Source;
  /** A stable word for tests and scripts, e.g. `service-not-found`. */
  readonly code: string;
  /** What happened and what to do next, in one line. */
  readonly message: string;
}

export function sourceOf(
  object: { kind: string; metadata: { namespace?: string; name: string; resourceVersion?: string } },
  field?: string,
): Source {
  const { namespace, name, resourceVersion } = object.metadata;
  return {
    kind: object.kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(resourceVersion === undefined ? {} : { revision: resourceVersion }),
    ...(field === undefined ? {} : { field }),
  };
}
