import { describe, expect, it } from 'vitest';
import { defineModule, type ModuleDefinition } from '../module.js';
import { token } from '../token.js';
import { checkModules } from './check.js';
import { CONTRACT_VERSIONS } from './contract.js';
import { checkSlices } from './slice.js';

const contract = { '@edge/core': '0.4.2', '@edge/protocol': '0.4.2' };

function module(name: string, over: Partial<ModuleDefinition> = {}): ModuleDefinition {
  const made = defineModule({
    name,
    packageName: `@acme/${name}`,
    wire: { module: name, group: name },
    version: '1.0.0',
    requires: { '@edge/core': '^0.4.0', '@edge/protocol': '^0.4.0' },
    config: { path: `modules.${name}`, token: token('test', `${name}.config`), parse: (raw) => raw },
    routes: [],
    entry: token('test', name),
    bindings: () => undefined,
    enabled: () => true,
  }) as ModuleDefinition;
  return { ...made, manifest: { ...made.manifest, contract }, ...over };
}
const withManifest = (over: object): ModuleDefinition => module('hub', { manifest: { ...module('hub').manifest, ...over } as ModuleDefinition['manifest'] });

describe('compatibility', () => {
  it.each([
    { problem: 'too-old', given: [module('hub', { requires: { '@edge/core': '^0.3.1' } })], text: '@acme/hub 1.0.0 needs @edge/core ^0.3.1, this agent has 0.4.2: install a newer version of @acme/hub, made for 0.4.2' },
    { problem: 'too-new', given: [module('hub', { requires: { '@edge/core': '^0.5.0 || ^1.0.0' } })], text: '@acme/hub 1.0.0 needs @edge/core ^0.5.0 || ^1.0.0, this agent has 0.4.2: update the agent, or install an older version of @acme/hub, made for 0.4.2' },
    { problem: 'not-there', given: [module('hub', { requires: { '@edge/other': '^1.0.0' } })], text: '@acme/hub 1.0.0 needs @edge/other ^1.0.0, which is not there: install it beside the agent' },
    { problem: 'unreadable-range', given: [module('hub', { requires: { '@edge/core': 'workspace:*' } })], text: '@acme/hub 1.0.0 states the range "workspace:*" for @edge/core, which cannot be read; it must be like ^0.4.2' },
    { problem: 'copy', given: [withManifest({ contract: { '@edge/core': '0.5.0', '@edge/protocol': '0.5.0' } })], text: '@acme/hub 1.0.0 brings a copy of @edge/core 0.5.0, this agent has 0.4.2: the two do not understand each other; install @edge/core ^0.4.2 where @acme/hub is installed' },
    { problem: 'shape', given: [withManifest({ shape: 2 })], text: 'hub has module shape 2, this agent knows shape 1: update the agent' },
    { problem: 'shape', given: [withManifest({ shape: 0 })], text: 'hub has module shape 0, this agent knows shape 1: update the module' },
    { problem: 'not-a-module', given: [{ name: 'hub' }], text: 'hub is no module: its main export must come from defineModule()' },
    { problem: 'not-a-module', given: [undefined], text: '(unnamed) is no module' },
    { problem: 'incomplete', given: [{ ...module('hub'), routes: undefined, config: { path: 'modules.hub' } }], text: 'hub is no whole module, it lacks config.token, config.parse, routes: make it with defineModule()' },
    { problem: 'incomplete', given: [{ ...module('hub'), manifest: { ...module('hub').manifest, contract: null }, requires: { '@edge/core': 7 }, routes: [null], restart: {}, extraStopMs: 5 }], text: 'it lacks manifest.contract, requires, routes, restart.when, restart.firstMs, restart.factor, restart.limitMs, restart.jitter, extraStopMs: make it' },
    { problem: 'incomplete', given: [withManifest({ contract: { '@edge/core': 1 } })], text: 'it lacks manifest.contract: make it' },
    { problem: 'role', given: [module('hub'), module('hub', { wire: { module: 'other', group: 'x' }, packageName: '@acme/second' })], text: '@acme/second and @acme/hub both want to be "hub": keep one of them' },
    { problem: 'wire-name', given: [module('hub'), module('twin', { wire: { module: 'hub', group: 'x' } })], roles: ['hub', 'twin'], text: '@acme/twin and @acme/hub both want to be "hub": keep one of them' },
    { problem: 'cycle', given: [module('hub', { after: ['twin'] }), module('twin', { after: ['bus'] }), module('bus', { after: ['hub'] })], roles: ['hub', 'twin', 'bus'], text: 'modules wait for each other in a circle: hub → twin → bus → hub; remove one of these "after" entries' },
  ])('[versions-1.1] $problem: says who, what it has, what is needed and what to do', ({ problem, given, text, roles }) => {
    const problems = checkModules(given, contract);
    expect(problems.map((found) => found.problem)).toContain(problem);
    const found = problems.find((other) => other.problem === problem);
    expect(found?.text).toContain(text);
    if (roles) expect(found?.roles).toEqual(roles);
  });

  it('[versions-1.2] finds nothing where all fit, copies of the same line of core among them', () => {
    const copy = withManifest({ contract: { '@edge/core': '0.4.9', '@edge/protocol': '0.4.0' } });
    // Made by a core that did not say which one it was.
    const silent = module('twin', { manifest: { brand: copy.manifest.brand, shape: 1 } as ModuleDefinition['manifest'] });
    expect(checkModules([copy, silent, module('bus', { after: ['hub', 'nobody'] })], contract)).toEqual([]);
    expect(defineModule(module('own')).manifest.contract).toEqual(CONTRACT_VERSIONS);
  });

  it('[versions-1.3] tells everything that is wrong at once', () => {
    const given = [
      withManifest({ shape: 9 }),
      module('twin', { requires: { '@edge/core': '^9.0.0', '@edge/protocol': 'x' }, after: ['bus'] }),
      module('bus', { after: ['twin'], wire: { module: 'twin', group: 'g' } }),
    ];
    expect(checkModules(given, contract).map(({ problem }) => problem)).toEqual(['shape', 'too-new', 'unreadable-range', 'wire-name', 'cycle']);
  });

  it('[versions-1.4] tells every slice of the configuration that a module refuses', () => {
    const picky = (name: string): ModuleDefinition => module(name, { config: { ...module(name).config, parse: (raw) => { throw new Error(`broker is ${JSON.stringify(raw)}, it must be an address`); } } });
    const hasty = module('hasty', { extraStopMs: (slice) => (slice as { seconds: number }).seconds });
    expect(checkSlices([hasty], { modules: {} })).toMatchObject([{ problem: 'config', module: 'hasty' }]);
    expect(checkSlices([picky('hub'), module('bus'), picky('twin')], { modules: { hub: 7 } })).toMatchObject([
      { problem: 'config', module: 'hub', text: '@acme/hub 1.0.0 refuses the configuration: modules.hub is not valid: broker is 7, it must be an address' },
      { problem: 'config', module: 'twin', text: '@acme/twin 1.0.0 refuses the configuration: modules.twin is not valid: broker is undefined, it must be an address' },
    ]);
  });
});
