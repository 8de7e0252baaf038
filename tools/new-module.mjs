// `npm run new-module NAME`: a module package that passes its own checks from the first minute.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './bootstrap.mjs';
import { moduleFiles } from './new-module-files.mjs';

const name = process.argv[2] ?? '';
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
  process.stderr.write(`The module's name is "${name}", it must be lower-case words joined by "-": npm run new-module tide-gauge\n`);
  process.exit(1);
}
const folder = join(root, 'packages', name);
if (existsSync(folder)) {
  process.stderr.write(`packages/${name} exists already; choose another name\n`);
  process.exit(1);
}

const contract = JSON.parse(readFileSync(join(root, 'packages', 'core', 'package.json'), 'utf8')).version;
for (const [path, text] of Object.entries(moduleFiles(name, contract))) {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
}
// Each archive carries the licence that it is under.
copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'));
const config = join(root, 'tsconfig.base.json');
const tsconfig = JSON.parse(readFileSync(config, 'utf8'));
tsconfig.compilerOptions.paths[`@edge/${name}`] = [`./packages/${name}/src/index.ts`];
writeFileSync(config, `${JSON.stringify(tsconfig, undefined, 2)}\n`);

process.stdout.write(`Made packages/${name}. Next:
  npm install                          links it into the workspace
  cd packages/${name} && npm test      its tests, the module contract among them
  packages/cli/src/compose.ts: import it and list it there, and name it in packages/cli/package.json
A module that lives outside of this repository is named in an agent's role file instead: examples/own-module
`);
