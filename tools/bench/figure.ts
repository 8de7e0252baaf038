/** Prints one figure; `tools/bench.mjs` collects them. */
export function figure(name: string, value: number, unit: string, note?: string): void {
  process.stdout.write(`${JSON.stringify({ name, value, unit, ...(note ? { note } : {}) })}\n`);
}

/** The middle one of several runs: machines are noisy. */
export async function median(runs: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let run = 0; run < runs; run += 1) values.push(await measure());
  return values.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}
