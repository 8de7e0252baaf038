import { stringify } from 'yaml';
import { defaultOf, type Data } from './overlay.js';
import type { HostFacts } from './host.js';
import type { AnyField, Section } from './schema/field.js';
import { schema, type EdgeCoreConfig } from './schema/schema.js';

type Partially<T> = T extends readonly unknown[] ? T : T extends object ? { readonly [K in keyof T]?: Partially<T[K]> | null } : T;

/** The part of the configuration that upstream calls minimal. Note: as upstream has it, edgeHub, eventBus and deviceTwin are off. */
export type MinConfig = Partially<EdgeCoreConfig>;

/** What `--minconfig` prints, as data. */
export function minConfig(host: HostFacts): MinConfig {
  return (printable(schema, host, true) ?? {}) as MinConfig;
}

/** The text of `--defaultconfig`: every setting upstream prints, keys sorted. */
export function printDefaultConfig(host: HostFacts): string {
  return page(
    ['Every setting with its default value.', 'A setting that stays as it is here can be left out of the file.', 'A shorter start: --minconfig.'],
    printable(schema, host, false),
  );
}

/** The text of `--minconfig`: the settings a first file usually names, keys sorted. */
export function printMinConfig(host: HostFacts): string {
  return page(
    [
      'The settings a first file usually names; all others: --defaultconfig.',
      'Set at least the addresses and the token of modules.edgeHub.',
      'edgeHub, eventBus and deviceTwin are printed with "enable: false"; switch on what this node is to run.',
    ],
    printable(schema, host, true),
  );
}

function page(comments: readonly string[], data: Data | undefined): string {
  const yaml = stringify(data ?? {}, { indentSeq: false, lineWidth: 0, sortMapEntries: (a, b) => (String(a.key) < String(b.key) ? -1 : 1) });
  return `${comments.map((line) => `# ${line}\n`).join('')}\n${yaml}`;
}

/** The printed form of a section; `undefined` when nothing of it is wanted. */
function printable(section: Section, host: HostFacts, minimal: boolean): Data | undefined {
  const data: Data = {};
  let wanted = false;
  for (const [key, node] of Object.entries(section.fields)) {
    if (node.node === 'section') {
      const inner = node.own ? undefined : printable(node, host, minimal);
      if (inner !== undefined) [data[key], wanted] = [inner, true];
    } else if (!minimal || node.minimal !== false) {
      const value = minimal && typeof node.minimal === 'object' ? node.minimal.value : defaultOf(node, host);
      wanted = true;
      if (!(node.omitEmpty && isEmpty(node, value))) data[key] = value ?? null;
    }
  }
  return wanted ? data : undefined;
}

/** Go's idea of empty: a duration is a struct and never empty, a pointer only when nil. */
function isEmpty(row: AnyField, value: unknown): boolean {
  if (value === undefined) return true;
  if (row.shape.kind === 'duration') return false;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return !row.nullable && (value === '' || value === 0 || value === false);
}
