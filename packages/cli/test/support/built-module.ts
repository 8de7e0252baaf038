import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

export interface BuiltModule {
  readonly role: string;
  readonly version: string;
  /** Code that its file begins with. */
  readonly prelude?: string;
  /** Changes its package.json before that is built in. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

const packages = fileURLToPath(new URL('../../../', import.meta.url));

/** Makes modules of this repository into packages of one file that need no other, each as an npm installation in a folder of its own; gives these. */
export async function installModules(folder: string, modules: readonly BuiltModule[]): Promise<readonly string[]> {
  const places = modules.map(({ role, version }) => join(folder, role, version));
  await Promise.all(
    modules.map(async (module, index) => {
      const own = join(places[index] ?? '', 'node_modules', '@edge', module.role);
      await mkdir(own, { recursive: true });
      await writeModule(own, module);
    }),
  );
  return places;
}

/** The same as an archive, as `npm pack` makes it. */
export async function packModule(folder: string, module: BuiltModule): Promise<void> {
  const own = join(folder, `.${module.role}-${module.version}`, 'package');
  await mkdir(own, { recursive: true });
  await writeModule(own, module);
  execFileSync('tar', ['-czf', join(folder, `edge-${module.role}-${module.version}.tgz`), '-C', join(own, '..'), 'package']);
}

async function writeModule(own: string, module: BuiltModule): Promise<void> {
  const { role, version, prelude = '' } = module;
  const manifest = { ...(JSON.parse(readFileSync(join(packages, role, 'package.json'), 'utf8')) as object), version, ...module.manifest };
  const otherManifest: Plugin = {
    name: 'manifest',
    setup: ({ onLoad }) => void onLoad({ filter: new RegExp(`/packages/${role}/package\\.json$`) }, () => ({ contents: JSON.stringify(manifest), loader: 'json' })),
  };
  await build({
    entryPoints: [join(packages, role, 'src', 'index.ts')],
    outfile: join(own, 'index.js'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    plugins: [otherManifest],
    tsconfig: join(packages, '..', 'tsconfig.base.json'),
    external: ['libsql', 'bufferutil', 'utf-8-validate'],
    banner: { js: `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);${prelude}` },
    logLevel: 'warning',
  });
  // All that it needs is in its file.
  writeFileSync(join(own, 'package.json'), JSON.stringify({ name: `@edge/${role}`, version, type: 'module', exports: './index.js' }));
}
