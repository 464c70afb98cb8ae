import type { Served } from "./served.ts";

/** How many requests of a second are kept, and how many in all: a look at the traffic, whatever its size. */
const aSecond = 20;
const capacity = 100;

/** The last requests that were served, some of them where there are many. */
export class RequestSample {
  private readonly kept: Served[] = [];
  private next = 0;
  private second = -1;
  private left = 0;

  /** Whether one that ends `now` should be described and added. */
  wants(now: number): boolean {
    const second = Math.floor(now / 1000);
    if (second !== this.second) {
      this.second = second;
      this.left = aSecond;
    }
    return this.left > 0;
  }

  /** The query stays out: it may hold secrets. Long texts are cut. */
  add(served: Served): void {
    this.left -= 1;
    const [path = ""] = served.target.split("?");
    const target = cut(path);
    this.kept[this.next] = { ...served, target, user: cut(served.user), referer: "", userAgent: cut(served.userAgent) };
    this.next = (this.next + 1) % capacity;
  }

  /** Oldest first. */
  list(): readonly Served[] {
    return this.kept.length < capacity
      ? [...this.kept]
      : [...this.kept.slice(this.next), ...this.kept.slice(0, this.next)];
  }
}

function cut(text: string): string {
  return text.length > 256 ? `${text.slice(0, 256)}...` : text;
}
