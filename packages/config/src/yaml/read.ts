import { LineCounter, parseDocument, type ParsedNode } from 'yaml';
import type { Report } from '../report.js';
import { MAX_BYTES, tooDeepAt } from './limits.js';
import type { Raw } from './raw.js';
import { RawBuilder, RawLimitError } from './raw-builder.js';
import { syntaxWords } from './syntax-words.js';

/**
 * Parses a configuration text. Problems go to the report; `undefined` then, or when the text holds no document.
 * Messages are made from the kind of mistake and its line only, never from the text: a secret may stand there.
 */
export function readYaml(text: string, report: Report): Raw | undefined {
  const syntax = (line: number | undefined, expected: string): undefined => {
    report.problem({ kind: 'syntax', path: '', ...(line === undefined ? {} : { line }), expected });
    return undefined;
  };
  if (text.length > MAX_BYTES) {
    report.problem({ kind: 'size', path: '', expected: `is larger than ${MAX_BYTES} bytes, which is no configuration of an edge node` });
    return undefined;
  }
  try {
    const deep = tooDeepAt(text);
    if (deep !== undefined) return syntax(deep, 'values are nested too deeply');
    const lines = new LineCounter();
    const document = parseDocument(text, { schema: 'failsafe', version: '1.1', uniqueKeys: false, prettyErrors: false, strict: false, logLevel: 'error', lineCounter: lines });
    const lineOf = (offset: number): number => Math.max(1, lines.linePos(offset).line);
    for (const error of document.errors) {
      const line = lineOf(error.pos[0]);
      // Upstream reads the first document and leaves the others.
      if (error.code === 'MULTIPLE_DOCS') report.warn({ kind: 'value', path: '', line, message: 'only the first YAML document of the file is used' });
      else syntax(line, syntaxWords(error.code));
    }
    if (document.errors.some((error) => error.code !== 'MULTIPLE_DOCS')) return undefined;
    if (document.contents === null) return undefined;
    return new RawBuilder({ lineOf, report }).build(document.contents as ParsedNode);
  } catch (error) {
    if (error instanceof RawLimitError) return syntax(error.line, error.message);
    // The parser recurses; a text that exhausts its stack is no configuration.
    if (error instanceof RangeError) return syntax(undefined, 'values are nested too deeply');
    // A parser that trips over garbage is still a broken file to the user, and its own words may quote the file.
    return syntax(undefined, 'is no readable YAML');
  }
}
