import { describe, expect, it } from 'vitest';
import { readRoleDocument, withRole } from './role-document.js';

describe('the text of a role file', () => {
  it('[roles-1.1] names packages by role, with or without version, folder and settings', () => {
    const { entries, problems } = readRoleDocument(`
modules:
  edgehub: "@acme/mqtt-hub"
  metamanager: { package: "@edge/metamanager", version: "0.1.1", folder: /opt/meta }
  tide-gauge: { package: gauge, settings: { port: 7, paths: [a] } }
`);
    expect(problems).toEqual([]);
    expect(Object.fromEntries(entries)).toEqual({
      edgehub: { package: '@acme/mqtt-hub' },
      metamanager: { package: '@edge/metamanager', version: '0.1.1', folder: '/opt/meta' },
      'tide-gauge': { package: 'gauge', settings: { port: 7, paths: ['a'] } },
    });
  });

  it.each(['', '# nothing yet\n', 'modules:\n', 'modules: {}\n'])('[roles-1.2] %j gives no role away', (text) => {
    const { entries, problems } = readRoleDocument(text);
    expect({ size: entries.size, problems }).toEqual({ size: 0, problems: [] });
  });

  it.each([
    ['modules: [', undefined, 'is no readable YAML: line 1: '],
    ['modules:\n  a: b\n  a: c\n', undefined, 'is no readable YAML: line 3: '],
    ['7', undefined, 'is 7, it must have the key "modules"'],
    ['modules: [edgehub]', undefined, 'has ["edgehub"] as "modules", it must be lines like "edgehub: package"'],
    ['module: { edgehub: x }', undefined, 'has the key "module", which means nothing; the only one is "modules"'],
    ['modules: { edgehub: ../../evil }', 'edgehub', 'edgehub is "../../evil", it must be the npm name of a package, as "@acme/mqtt-hub"'],
    ['modules: { edgehub: 7 }', 'edgehub', 'edgehub is 7, it must be the npm name of a package, or { package, version, folder, settings }'],
    ['modules: { edgehub: { version: "1.0.0" } }', 'edgehub', 'package of edgehub is missing, it must be the npm name of a package'],
    ['modules: { edgehub: { package: x, version: 1.4 } }', 'edgehub', 'version of edgehub is 1.4, it must be a text like "1.4.2"'],
    ['modules: { edgehub: { package: x, folder: [] } }', 'edgehub', 'folder of edgehub is [], it must be the path of an npm installation'],
    ['modules: { edgehub: { package: x, path: /y } }', 'edgehub', 'edgehub has the key "path", there are package, version, folder, settings'],
    ['modules: { edgehub: { package: x, settings: 7 } }', 'edgehub', 'settings of edgehub are 7, they must be lines of "key: value"'],
    ['modules: { EdgeHub: x }', 'EdgeHub', '"EdgeHub" is no name of a role'],
    ['a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]', undefined, 'is no readable YAML: '],
    [`modules: { a: ${'x'.repeat(70_000)} }`, undefined, 'is longer than 65536 letters'],
  ])('[roles-1.3] %.60j is refused with role, value, and what would be right', (text, role, message) => {
    const { problems } = readRoleDocument(text);
    expect(problems[0]).toMatchObject(role === undefined ? {} : { role });
    expect(problems[0]?.text).toContain(message);
  });

  it('[roles-1.4] an entry that is wrong does not keep the others from being read', () => {
    const { entries, problems } = readRoleDocument('modules: { edgehub: 7, eventbus: bus, 8: x }\nmore: 1\n');
    expect([...entries.keys()]).toEqual(['eventbus']);
    expect(problems).toHaveLength(3);
  });

  it('[roles-1.5] an entry is put in, changed and taken out while comments and the rest stay', () => {
    const before = '# ours\nmodules:\n  # the hub\n  edgehub: "@acme/mqtt-hub" # mqtt\n  eventbus: bus\n';
    const text = (given: ReturnType<typeof withRole>): string => ('text' in given ? given.text : given.problem);
    const swapped = text(withRole(before, 'metamanager', { package: '@edge/metamanager', version: '0.1.1', folder: '/opt/meta' }));
    expect(swapped).toContain('# ours\nmodules:\n  # the hub\n  edgehub: "@acme/mqtt-hub" # mqtt\n  eventbus: bus\n');
    expect(readRoleDocument(swapped).entries.get('metamanager')).toEqual({ package: '@edge/metamanager', version: '0.1.1', folder: '/opt/meta' });
    const changed = text(withRole(swapped, 'eventbus', { package: '@acme/bus' }));
    expect(readRoleDocument(changed).entries.get('eventbus')).toEqual({ package: '@acme/bus' });
    expect(text(withRole(text(withRole(swapped, 'metamanager', undefined)), 'nobody', undefined))).toBe(before);
    const settled = 'modules: { edgehub: { package: a, version: 1.0.0, settings: { port: 7 } } }\n';
    expect(readRoleDocument(text(withRole(settled, 'edgehub', { package: 'a', version: '2.0.0' }))).entries.get('edgehub')).toEqual({ package: 'a', version: '2.0.0', settings: { port: 7 } });
    expect(readRoleDocument(text(withRole(settled, 'edgehub', { package: 'b' }))).entries.get('edgehub')).toEqual({ package: 'b' });
    const fresh = text(withRole('', 'eventbus', { package: 'bus' }));
    expect(fresh).toMatch(/^# .*\n# .*\n\nmodules:\n {2}eventbus: bus\n$/);
    expect(text(withRole('modules:\n', 'eventbus', { package: 'bus' }))).toBe('modules:\n  eventbus: bus\n');
  });

  it.each(['modules: [', 'modules: 7', '7'])('[roles-1.6] %j is never written over', (text) => {
    expect(withRole(text, 'eventbus', { package: 'bus' })).toHaveProperty('problem');
    expect(withRole('', 'eventbus', { package: '../bus' })).toHaveProperty('problem');
  });
});
