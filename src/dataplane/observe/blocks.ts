/** Memory for the histograms of one worker's answers; only what was used of it takes room. */
export type BlockPage = Float64Array<SharedArrayBuffer>;

/** So many answers of routes, each of a method and a status, have histograms of their own in one worker. */
export const mostBlocks = 16_384;
/** After a look for blocks that nobody uses any more has found none, so many further answers do without. */
const patience = 10_000;

/** One cell says how many blocks were ever used, for a worker that takes a dead one's place. */
export function createBlockPage(cells: number, blocks = mostBlocks): BlockPage {
  return new Float64Array(new SharedArrayBuffer((1 + blocks * cells) * Float64Array.BYTES_PER_ELEMENT));
}

/**
 * Gives blocks of memory to answers. A block belongs to the cell that holds its number; when that cell has been cleared or
 * holds another number, since its route has left, the block is free again.
 */
export class Blocks {
  readonly page: BlockPage;
  private readonly cells: number;
  private readonly most: number;
  private readonly owners: { readonly page: Float64Array; readonly at: number }[] = [];
  private free: number[] = [];
  private misses = 0;

  constructor(page: BlockPage, cells: number) {
    this.page = page;
    this.cells = cells;
    this.most = Math.floor((page.length - 1) / cells);
  }

  /** Where a block begins by its number, as it stands in its owner's cell: from 1 up. */
  startOf(number: number): number {
    return 1 + (number - 1) * this.cells;
  }

  /** A block for the owner of this cell, whose number is written there; 0 when there is none left. */
  take(page: Float64Array, at: number): number {
    const number = this.free.pop() ?? this.next();
    if (number === 0) return 0;
    const start = this.startOf(number);
    this.page.fill(0, start, start + this.cells);
    this.owners[number] = { page, at };
    page[at] = number;
    return number;
  }

  private next(): number {
    const used = this.page[0] ?? 0;
    if (used < this.most) {
      this.page[0] = used + 1;
      return used + 1;
    }
    this.misses -= 1;
    if (this.misses > 0) return 0;
    this.free = this.owners.flatMap(({ page, at }, number) => (page[at] === number ? [] : [number]));
    this.misses = this.free.length > 0 ? 0 : patience;
    return this.free.pop() ?? 0;
  }
}
