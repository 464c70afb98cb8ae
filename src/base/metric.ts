/** `{a="1",b="2"}`, or nothing when there are no labels. */
export function withLabels(...labels: readonly string[]): string {
  const some = labels.filter((label) => label !== "");
  return some.length === 0 ? "" : `{${some.join(",")}}`;
}

/** `name="value"` of the exposition format, whatever the value holds. */
export function label(name: string, value: string): string {
  return `${name}="${value.replace(/[\\"\n]/g, (one) => (one === "\n" ? "\\n" : `\\${one}`))}"`;
}

/** The two lines that go before the values of a metric. */
export function renderHead(name: string, type: "counter" | "gauge" | "histogram", help: string): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}
