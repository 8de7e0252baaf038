export interface TestId {
  readonly id: string;
  readonly prefix: string;
}
export interface FoundTest extends TestId {
  readonly title: string;
  readonly file: string;
  readonly line: number;
}
export function collectTests(root: string, files: readonly string[]): FoundTest[];
export function testsIn(text: string): (TestId & { readonly title: string; readonly at: number })[];
export function doubled(tests: readonly FoundTest[]): string[];
export function citedIn(text: string, tests: readonly TestId[]): { ids: string[]; unknown: string[] };
