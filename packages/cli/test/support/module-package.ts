import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A package that a test puts on the disk. */
export interface PackageOnDisk {
  readonly name: string;
  readonly version?: string;
  readonly peers?: Readonly<Record<string, string>>;
  /** More of its package.json. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** Its main file, `index.js`. */
  readonly code: string;
}

/** Writes a package into `node_modules` of a folder; gives its own folder. */
export function putPackage(folder: string, { name, version = '1.0.0', peers = {}, manifest = {}, code }: PackageOnDisk): string {
  const own = join(folder, 'node_modules', name);
  mkdirSync(own, { recursive: true });
  writeFileSync(join(own, 'package.json'), JSON.stringify({ name, version, type: 'module', exports: './index.js', peerDependencies: peers, ...manifest }));
  writeFileSync(join(own, 'index.js'), code);
  return own;
}

/** What differs between the modules of tests, as source of JavaScript. */
export interface ModuleSource {
  readonly role: string;
  readonly packageName?: string;
  readonly version?: string;
  readonly wire?: string;
  readonly path?: string;
  readonly requires?: Readonly<Record<string, string>>;
  readonly after?: readonly string[];
  readonly shape?: number;
  /** Body of `parse(raw)`. */
  readonly parse?: string;
  /** Statements before it serves. */
  readonly start?: string;
}

/** Source of a module that needs no package at all: an expression. Once started it serves until it is told to end. */
export function moduleSource(source: ModuleSource): string {
  const { role, packageName = `@acme/${role}`, version = '1.0.0', wire = role, path = `modules.${role}`, requires = {}, after = [], shape = 1, parse = 'return raw ?? {};', start = '' } = source;
  const entry = `Symbol.for(${JSON.stringify(`test:${packageName}:${role}`)})`;
  return `{
  manifest: { brand: 'edge.module', shape: ${shape} },
  name: ${JSON.stringify(role)}, packageName: ${JSON.stringify(packageName)}, version: ${JSON.stringify(version)},
  wire: { module: ${JSON.stringify(wire)}, group: ${JSON.stringify(wire)} },
  requires: ${JSON.stringify(requires)},
  config: { path: ${JSON.stringify(path)}, token: Symbol.for(${JSON.stringify(`test:${role}.config`)}), parse: (raw) => { ${parse} } },
  enabled: () => true, after: ${JSON.stringify(after)}, routes: [],
  restart: { when: 'on-failure', firstMs: 1000, factor: 2, limitMs: 30000, jitter: 0 },
  entry: ${entry},
  bindings: (bind) => bind(${entry}).toConstantValue({ run: async (life) => { ${start} life.ready(); await new Promise((done) => life.signal.addEventListener('abort', done)); } }),
}`;
}
