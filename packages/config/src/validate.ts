import type { Data } from './overlay.js';
import type { Report } from './report.js';
import { crossRules } from './cross-rules.js';
import { CURRENT, type EdgeCoreConfig } from './schema/schema.js';
import type { AnyField, Section } from './schema/field.js';

/**
 * Checks the values of a configuration whose types are right. As upstream, it leaves alone what is switched off:
 * everything below a section with `enable: false`.
 */
export function validate(schema: Section, data: Data, lines: ReadonlyMap<string, number>, report: Report): void {
  walk(schema, data, '', (path, row, value) => {
    const verdict = row.check?.(value);
    if (verdict === undefined) return;
    const at = verdict.at === undefined ? path : `${path}.${verdict.at}`;
    const line = lines.get(path);
    const where = { path: at, ...(line === undefined ? {} : { line }) };
    const shown = row.secret ? '***' : JSON.stringify(verdict.at === undefined ? value : (value as Data)[verdict.at]);
    if (verdict.severity === 'error') report.problem({ kind: 'value', ...where, value: shown, expected: verdict.expected });
    else report.warn({ kind: 'value', ...where, message: `is ${shown}, ${verdict.expected}` });
  });
  const config = data as unknown as EdgeCoreConfig;
  for (const { path, value, severity, expected } of crossRules(config)) {
    const line = lines.get(path);
    const where = { path, ...(line === undefined ? {} : { line }) };
    if (severity === 'error') report.problem({ kind: 'value', ...where, value: JSON.stringify(value), expected });
    else report.warn({ kind: 'value', ...where, message: `is ${JSON.stringify(value)}, ${expected}` });
  }
  heading(config, lines, report);
}

function walk(section: Section, data: Data, path: string, visit: (path: string, row: AnyField, value: never) => void): void {
  if (data['enable'] === false && path !== '') return;
  for (const [key, node] of Object.entries(section.fields)) {
    const below = path === '' ? key : `${path}.${key}`;
    const value = data[key];
    if (node.node === 'section') walk(node, (value ?? {}) as Data, below, visit);
    else if (value !== undefined) visit(below, node, value as never);
  }
}

/** Upstream looks at neither; a wrong one most often means that this is another program's file. */
function heading(config: EdgeCoreConfig, lines: ReadonlyMap<string, number>, report: Report): void {
  const expectations = { apiVersion: CURRENT, kind: 'EdgeCore' } as const;
  for (const [key, expected] of Object.entries(expectations)) {
    const value = config[key as keyof typeof expectations];
    const line = lines.get(key);
    if (value !== expected && value !== '')
      report.warn({ kind: 'value', path: key, ...(line === undefined ? {} : { line }), message: `is ${JSON.stringify(value)}, should be ${expected}; is this another program's file?` });
  }
}
