// What a built file holds of others' packages, with their licences: whoever passes it on has to pass those on, too.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Name of the file with the licences. */
export const LICENCES_FILE = 'THIRD-PARTY.txt';

/**
 * Plugin for esbuild: writes the licences of all packages that it takes in beside the built file.
 * @param folder where the file goes; none is written where nothing was taken in
 */
export function thirdParty(folder) {
  return {
    name: 'third-party',
    setup(build) {
      build.initialOptions.metafile = true;
      build.onEnd(({ metafile }) => {
        if (!metafile) return;
        // What was read and then left out is in no output.
        const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path));
        const packages = packagesOf(used.map((path) => resolve(build.initialOptions.absWorkingDir ?? '.', path)));
        if (packages.length === 0) return;
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, LICENCES_FILE), licences(packages));
      });
    },
  };
}

/** For packages that name this licence and have no file with it. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

/** The packages that files belong to, sorted, each once. Those of the workspace are not third parties. */
export function packagesOf(files) {
  const found = new Map();
  for (const file of files) {
    if (!file.includes('/node_modules/')) continue;
    let folder = dirname(file);
    while (!isPackage(folder)) folder = dirname(folder);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    found.set(`${name} ${version}`, { name, version, license, folder });
  }
  return [...found.keys()].sort().map((key) => found.get(key));
}

/** One text: each licence once, with the packages that it is of. */
export function licences(packages) {
  const byText = new Map();
  for (const { name, version, license, folder } of packages) {
    const file = readdirSync(folder).find((entry) => /^(licen[cs]e|copying)(\.(md|txt|mit))?$/i.test(entry));
    const text = file === undefined ? said(folder, license) : readFileSync(join(folder, file), 'utf8').trim();
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
  }
  return `The files in this folder hold code of these packages.\n${[...byText].map(([text, names]) => `\n${'='.repeat(80)}\n${names.join('\n')}\n${'-'.repeat(80)}\n${text}\n`).join('')}`;
}

/** What a package without a file of its licence says of it. */
function said(folder, license = 'see the package') {
  const { author, homepage, repository } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const lines = [`Licence: ${license}`, ...[author?.name ?? author].flatMap((name) => (name ? [`Copyright: ${name}`] : [])), `Source: ${repository?.url ?? repository ?? homepage ?? 'the registry of npm'}`];
  return `${lines.join('\n')}${license === 'MIT' ? `\n\n${MIT}` : ''}`;
}

/** Some packages have further package.json files inside, which say nothing but the kind of their modules. */
function isPackage(folder) {
  const path = join(folder, 'package.json');
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version !== undefined;
}
