const suffixes: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

const pattern = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i|[numkMGTPE])|([eE][+-]?\d+))?$/;

/** The value of a resource quantity (`500m`, `1.5Gi`, `1e3`; apimachinery's `resource.Quantity`), or `undefined`. */
export function parseQuantity(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, number = "", suffix = "", exponent = ""] = match;
  return exponent === "" ? Number(number) * (suffixes[suffix] ?? 1) : Number(`${number}${exponent}`);
}
