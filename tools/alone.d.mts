/** Makes programs of the examples of these packages; absolute paths, in the same order. */
export function bundleExamples(names: readonly string[]): Promise<readonly string[]>;
