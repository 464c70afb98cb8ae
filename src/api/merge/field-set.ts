/**
 * A set of fields of an object, as a tree: the server's memory of who holds what. Each step down is an element of
 * `fieldsV1`'s notation (KEP-555, structured-merge-diff's `fieldpath`): `f:name` a field or a map's key, `k:{…}` the
 * element of a list with these keys, `v:…` the element of a set with this value, `i:n` the n-th element.
 *
 * Sets are values: nothing changes one once it is made. No branch ends without a member.
 */
export interface FieldSet {
  /** Whether the field itself is in the set; what is below it is in the set on its own account. */
  readonly isMember: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const none: ReadonlyMap<string, FieldSet> = new Map();

export const emptySet: FieldSet = { isMember: false, children: none };
const member: FieldSet = { isMember: true, children: none };

/** Where a field is: its elements from the object's root down. */
export type FieldPath = readonly string[];

export function isEmptySet({ isMember, children }: FieldSet): boolean {
  return !isMember && children.size === 0;
}

interface Node {
  isMember: boolean;
  children: Map<string, Node>;
}

/** Collects paths into a set. */
export class FieldSetBuilder {
  private readonly root: Node = { isMember: false, children: new Map() };

  /** Adding twice is adding once. */
  add(path: FieldPath): void {
    let node = this.root;
    for (const element of path) {
      let child = node.children.get(element);
      if (child === undefined) {
        child = { isMember: false, children: none as Map<string, Node> };
        // Shared by all that have no children, and never written to.
        if (node.children === none) node.children = new Map();
        node.children.set(element, child);
      }
      node = child;
    }
    node.isMember = true;
  }

  /** The set so far; nothing is added after it. */
  build(): FieldSet {
    return this.root.children.size === 0 && !this.root.isMember ? emptySet : this.root;
  }
}

/** A set with these children; those that are empty are left out. */
export function setOf(isMember: boolean, children: Map<string, FieldSet>): FieldSet {
  if (children.size === 0) return isMember ? member : emptySet;
  return { isMember, children };
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  // The usual case, and the sets of many objects stay the same value that way.
  if (contains(a, b)) return a;
  const children = new Map(a.children);
  for (const [element, child] of b.children) {
    const other = children.get(element);
    children.set(element, other === undefined ? child : union(other, child));
  }
  return setOf(a.isMember || b.isMember, children);
}

/** What is in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    if (other === undefined) continue;
    const both = intersection(child, other);
    if (!isEmptySet(both)) children.set(element, both);
  }
  return setOf(a.isMember && b.isMember, children);
}

/** What is in `a` and not in `b`: member for member, so what is below a member of `b` stays. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b)) return a;
  const children = new Map<string, FieldSet>();
  let isSame = !(a.isMember && b.isMember);
  for (const [element, child] of a.children) {
    const other = b.children.get(element);
    const left = other === undefined ? child : difference(child, other);
    if (left !== child) isSame = false;
    if (!isEmptySet(left)) children.set(element, left);
  }
  return isSame ? a : setOf(a.isMember && !b.isMember, children);
}

export function contains(a: FieldSet, b: FieldSet): boolean {
  if (b.isMember && !a.isMember) return false;
  for (const [element, child] of b.children) {
    const other = a.children.get(element);
    if (other === undefined || !contains(other, child)) return false;
  }
  return true;
}

export function sameSet(a: FieldSet, b: FieldSet): boolean {
  return contains(a, b) && contains(b, a);
}

/** Every member's path, those of one field in the order of their elements. */
export function pathsOf(set: FieldSet): FieldPath[] {
  const paths: FieldPath[] = [];
  const visit = (at: FieldSet, path: FieldPath) => {
    if (at.isMember && path.length > 0) paths.push(path);
    for (const element of [...at.children.keys()].sort()) {
      visit(at.children.get(element) as FieldSet, [...path, element]);
    }
  };
  visit(set, []);
  return paths;
}
