import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fenced block of a page. */
export interface Block {
  readonly file: string;
  /** Line of the first line inside the fence, from 1. */
  readonly line: number;
  readonly language: string;
  /** The words behind the language. */
  readonly meta: readonly string[];
  readonly text: string;
}

/** All fenced blocks of pages, in their order. */
export function blocksOf(root: string, files: readonly string[]): Block[] {
  return files.flatMap((file) => blocksIn(readFileSync(join(root, file), 'utf8'), file));
}

/** The fenced blocks of one page; `file` is what they are named by. */
export function blocksIn(page: string, file: string): Block[] {
  return [...page.matchAll(/^( *)```([^\n`]*)\n([\s\S]*?)^ *```$/gm)].map((found) => {
    const [language = '', ...meta] = (found[2] ?? '').trim().split(/\s+/);
    const line = page.slice(0, found.index).split('\n').length + 1;
    return { file, line, language, meta, text: (found[3] ?? '').replace(new RegExp(`^${found[1] ?? ''}`, 'gm'), '') };
  });
}

/** What stands between backticks in the text of a page, and lines that are code by their indent, one each. */
export function codeWords(page: string): string[] {
  const prose = page.replace(/^ *```[\s\S]*?^ *```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`|^ {4}(\S.*)$/gm)].map(([, words, line = '']) => words ?? line);
}
