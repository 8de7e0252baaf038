import type { FlagSpec } from './spec.js';

/** Width of the text of a flag's description when the terminal does not say. */
const DEFAULT_WIDTH = 100;

/** The flag list as Go's pflag lays it out, sorted, wrapped to `width` columns. */
export function flagList(specs: readonly FlagSpec[], width = DEFAULT_WIDTH): string {
  const rows = [...specs]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((spec) => {
      const short = spec.shorthand ? `-${spec.shorthand}, ` : '    ';
      const value = spec.value ? ` ${spec.value}` : '';
      const fallback = spec.default === undefined || spec.default === '0' ? '' : ` (default ${spec.value === 'string' ? JSON.stringify(spec.default) : spec.default})`;
      return { left: `  ${short}--${spec.name}${value}`, right: `${spec.help}${fallback}` };
    });
  const indent = Math.max(...rows.map((row) => row.left.length)) + 3;
  return rows.map((row) => `${row.left.padEnd(indent)}${wrap(row.right, Math.max(24, width - indent), ' '.repeat(indent))}\n`).join('');
}

/** Usage with one section per group of flags. */
export function usage(line: string, sections: readonly { readonly title: string; readonly flags: readonly FlagSpec[] }[], width?: number): string {
  return `Usage:\n  ${line}\n${sections.map(({ title, flags }) => `\n${title}:\n\n${flagList(flags, width)}`).join('')}`;
}

function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current].join(`\n${indent}`);
}
