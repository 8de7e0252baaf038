import { defineConfig, type Options } from 'tsup';
import { thirdParty } from './third-party.mjs';

/** What some CommonJS packages need inside of a module: they ask for Node's built-in modules by require(). */
const REQUIRE = "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

interface Lib extends Options {
  /**
   * Packages that become part of the build, with all that they need: each of them would bring dozens of others into an
   * installation. They stand in devDependencies (docs/adr/0035-packaging.md).
   */
  readonly embed?: readonly string[];
}

/** The one build setting of all packages: a single ESM file with types, dependencies left outside. */
export const lib = ({ embed = [], ...over }: Lib = {}): ReturnType<typeof defineConfig> =>
  defineConfig({
    entry: ['src/index.ts'],
    format: ['esm'],
    target: 'node20',
    platform: 'node',
    dts: true,
    // What is published can be read as it is; maps would be a quarter of an installation.
    sourcemap: false,
    clean: true,
    splitting: false,
    treeshake: false,
    ...(embed.length > 0 ? embedding(embed) : {}),
    ...over,
  });

/** What is imported on demand stays in files of its own. */
function embedding(embed: readonly string[]): Options {
  const inside = embed.map((name) => new RegExp(`^${name}(/|$)`));
  return { noExternal: inside, splitting: true, banner: { js: REQUIRE }, esbuildPlugins: [thirdParty('dist')] };
}
