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

/** `{a="1",b="2"}`, or nothing when there are no labels. */
export function withLabels(...labels: readonly string[]): string {
  const some = labels.filter((label) => label !== "");
  return some.length === 0 ? "" : `{${some.join(",")}}`;
}

/** The two lines that go before the values of a metric. */
export function renderHead(name: string, type: "counter" | "gauge" | "histogram", help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
