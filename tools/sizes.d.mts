/** What is wrong with the size in bytes of a packed package; undefined when nothing is. */
export function sizeProblem(name: string, size: number): string | undefined;
