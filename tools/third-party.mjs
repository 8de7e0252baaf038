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
    const text = file === undefined ? `Licence: ${license ?? 'see the package'}` : readFileSync(join(folder, file), 'utf8').trim();
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
  }
  return `The files in this folder hold code of these packages.\n${[...byText].map(([text, names]) => `\n${'='.repeat(80)}\n${names.join('\n')}\n${'-'.repeat(80)}\n${text}\n`).join('')}`;
}

/** Some packages have further package.json files inside, which say nothing but the kind of their modules. */
function isPackage(folder) {
  const path = join(folder, 'package.json');
  return existsSync(path) && JSON.parse(readFileSync(path, 'utf8')).version !== undefined;
}
