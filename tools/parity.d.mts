import type { FoundTest } from './docs/test-ids.mjs';

export interface Page {
  readonly file: string;
  readonly text: string;
  readonly ids: readonly string[];
  readonly unknown: readonly string[];
}
export function survey(folder?: string): { tests: FoundTest[]; pages: Page[] };
export function withTable(page: Page, tests: readonly FoundTest[]): string;
export function problemsOf(found: { readonly tests: readonly FoundTest[]; readonly pages: readonly Page[] }): string[];
export function decisionsPage(pages: readonly Page[]): string;
