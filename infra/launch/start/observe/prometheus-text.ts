/** One line of a `/metrics` page. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES: ReadonlyMap<string, string> = new Map(Object.entries<string>({ '\\n': '\n', '\\"': '"', '\\\\': '\\' }));

/** The samples whose name begins with `prefix`, of a page in Prometheus' text format (version 0.0.4). */
export function parsePrometheusText(page: string, prefix: string): Sample[] {
  const samples: Sample[] = [];
  for (const line of page.split('\n')) {
    if (!line.startsWith(prefix)) continue;
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    samples.push({
      name,
      labels: Object.fromEntries(
        [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [
          label,
          text.replace(/\\[n"\\]/g, (escape) => ESCAPES.get(escape) ?? escape),
        ]),
      ),
      value: Number(value),
    });
  }
  return samples;
}

/** The sum of all samples of a name whose labels include `labels`; undefined when there is none. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  let sum: number | undefined;
  for (const sample of samples) {
    if (sample.name !== name) continue;
    if (!Object.entries(labels).every(([label, value]) => sample.labels[label] === value)) continue;
    sum = (sum ?? 0) + sample.value;
  }
  return sum;
}
