import { withLabels } from "#base/metric.ts";

/** Counts observations below bounds, as Prometheus histograms do. */
export interface Histogram {
  observe(value: number): void;
  /** Lines of the exposition format, with these labels on each. */
  render(name: string, labels: string): string;
}

/** `bounds`: upper ends, rising; what is above the last counts as `+Inf`. */
export function createHistogram(bounds: readonly number[]): Histogram {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  let sum = 0;
  return {
    observe(value) {
      const index = bounds.findIndex((bound) => value <= bound);
      const place = index === -1 ? bounds.length : index;
      counts[place] = (counts[place] ?? 0) + 1;
      sum += value;
    },
    render(name, labels) {
      let total = 0;
      const lines = counts.map((count, index) => {
        total += count;
        return `${name}_bucket${withLabels(labels, `le="${bounds[index] ?? "+Inf"}"`)} ${total}`;
      });
      lines.push(`${name}_sum${withLabels(labels)} ${sum}`, `${name}_count${withLabels(labels)} ${total}`);
      return `${lines.join("\n")}\n`;
    },
  };
}
