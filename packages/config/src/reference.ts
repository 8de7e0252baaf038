import { defaultOf } from './overlay.js';
import type { HostFacts } from './host.js';
import { rows } from './schema/rows.js';
import type { Shape } from './schema/field.js';

/** The reference page of all settings, in Markdown: one table row per key, straight from the schema. */
export function configReference(): string {
  const host: HostFacts = { hostname: 'host-name', localIP: '192.0.2.2' };
  const lines = rows().map(({ path, field, own }) => {
    const value: unknown = defaultOf(field, host);
    const shown = value === undefined ? '' : `\`${typeof value === 'string' && value !== '' ? value : JSON.stringify(value)}\``;
    const notes = [field.secret ? 'secret' : '', own ? 'not upstream' : '', field.minimal === false ? '' : 'in `--minconfig`'].filter((note) => note !== '');
    return `| \`${path}\` | ${shapeName(field.shape)} | ${shown} | ${field.doc} | ${notes.join(', ')} |`;
  });
  return `${['# Settings of edgecore.yaml', '', 'Made from the schema; a test keeps it current. Addresses and names are examples.', '', '| key | type | default | meaning | notes |', '|---|---|---|---|---|', ...lines].join('\n')}\n`;
}

function shapeName(shape: Shape): string {
  switch (shape.kind) {
    case 'int':
      return shape.name;
    case 'list':
      return `list of ${shapeName(shape.of)}`;
    case 'map':
      return `map of ${shapeName(shape.of)}`;
    case 'object':
      return `{${Object.keys(shape.fields).join(', ')}}`;
    default:
      return shape.kind;
  }
}
