/** One name with its values, as Prometheus' text format 0.0.4 writes it. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  readonly labels?: Labels;
  readonly value: number;
  /** When it was measured, milliseconds since the epoch; the time of the scrape unless given. */
  readonly at?: number;
  /** What comes behind the family's name: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

export type Labels = Readonly<Record<string, string>>;

/** Writes families; those without a value are left out. */
export function formatMetrics(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    if (samples.length === 0) continue;
    lines.push(`# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`, `# TYPE ${name} ${type}`);
    for (const { suffix = '', labels = {}, value, at } of samples) {
      lines.push(`${name}${suffix}${formatLabels(labels)} ${formatValue(value)}${at === undefined ? '' : ` ${Math.round(at)}`}`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/** One value without labels. */
export function gauge(name: string, help: string, value: number | undefined): MetricFamily {
  return { name, help, type: 'gauge', samples: value === undefined ? [] : [{ value }] };
}

/** Counts things of one kind, by labels. */
export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #counts = new Map<string, { readonly labels: Labels; value: number }>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, amount = 1): void {
    const key = formatLabels(labels);
    const known = this.#counts.get(key);
    if (known) known.value += amount;
    else this.#counts.set(key, { labels, value: amount });
  }

  family(): MetricFamily {
    return { name: this.#name, help: this.#help, type: 'counter', samples: [...this.#counts.values()] };
  }
}

/** Counts how long things took, by labels. */
export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, { readonly labels: Labels; readonly counts: number[]; sum: number }>();

  /** @param bounds upper ends of the buckets, rising; the last one without an end is added */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = [...bounds, Number.POSITIVE_INFINITY];
  }

  observe(labels: Labels, value: number): void {
    const key = formatLabels(labels);
    const series = this.#series.get(key) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0 };
    this.#series.set(key, series);
    series.sum += value;
    const at = this.#bounds.findIndex((bound) => value <= bound);
    series.counts[at] = (series.counts[at] ?? 0) + 1;
  }

  family(): MetricFamily {
    const samples = [...this.#series.values()].flatMap(({ labels, counts, sum }): MetricSample[] => {
      let below = 0;
      const buckets = counts.map((count, index): MetricSample => {
        below += count;
        return { suffix: '_bucket', labels: { ...labels, le: formatValue(this.#bounds[index] as number) }, value: below };
      });
      return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: below }];
    });
    return { name: this.#name, help: this.#help, type: 'histogram', samples };
  }
}

function formatLabels(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
