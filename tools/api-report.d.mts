/** What a package that is built exports, as text. */
export function apiReport(folder: string): string;
/** Lines that only one of two reports has. */
export function difference(before: string, after: string): readonly string[];
