/** So many requests may be on a further try whatever else is under way, as Envoy has it. */
const atLeast = 3;
/** Beyond that, this part of the requests that are under way. */
const share = 0.2;

/**
 * How many requests of a backend may be on a further try at once. Without it endpoints that fail under their load would
 * get two or three times that load.
 */
export class RetryBudget {
  private underWay = 0;
  private readonly active: () => number;

  /** `active` says how many requests of the backend are under way. */
  constructor(active: () => number) {
    this.active = active;
  }

  take(): boolean {
    if (this.underWay >= atLeast + share * this.active()) return false;
    this.underWay += 1;
    return true;
  }

  giveBack(): void {
    this.underWay -= 1;
  }
}
