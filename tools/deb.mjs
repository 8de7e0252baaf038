// `npm run deb`: the agent as a Debian package, by dpkg-deb.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { bundle } from './bundle.mjs';
import { architectureOf, changelog, control, copyright, debianVersion, defaults, launcher, postinst, postrm, prerm, PROGRAM, sqliteChoices, UNIT, unitOfPackage } from './packaging/debian.mjs';
import { loadFacts } from './packaging/load-facts.mjs';
import { layProgram, ownPlatform, version as ownVersion } from './packaging/program.mjs';
import { LICENCES_FILE } from './third-party.mjs';

const usage = `usage: npm run deb -- [options]

Writes the agent as a Debian package; it depends on Node.js, which it does not hold. docs/install.md says more.

  --out file       edgecore_<version>_<architecture>.deb unless given
  --sqlite name    for the Node.js of that platform from 20.19 on: ${sqliteChoices.filter((name) => name !== 'node').join(', ')};
                   node: for every platform, with Node.js from 22.13 on. That of this machine unless given.
  --no-compress    sooner, larger
  --release text   the version that the package says; ${ownVersion} unless given

DEBFULLNAME and DEBEMAIL name the maintainer, SOURCE_DATE_EPOCH the time of its files.
`;

const { sqlite, version, ...options } = read();
const { DEBFULLNAME = 'EdgeCore in TypeScript', DEBEMAIL = 'edgecore@localhost', SOURCE_DATE_EPOCH = '0' } = process.env;
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`;
const out = resolve(process.env.INIT_CWD ?? '.', options.out ?? `edgecore_${debianVersion(version)}_${architectureOf(sqlite)}.deb`);
// What is in it is for everybody, whatever mask whoever runs this has.
process.umask(0o022);
const folder = mkdtempSync(join(tmpdir(), 'edge-deb-'));
try {
  const bundled = join(folder, 'bundle', 'edgecore.mjs');
  const [facts] = await Promise.all([loadFacts(), bundle(bundled)]);
  const tree = join(folder, 'tree');
  const program = join(tree, dirname(PROGRAM));
  layProgram(bundled, program, sqlite);
  const licences = readFileSync(join(program, LICENCES_FILE), 'utf8');
  // Both are in the file where Debian looks for them.
  for (const name of [LICENCES_FILE, 'LICENSE']) rmSync(join(program, name));
  lay(tree, 'usr/bin/edgecore', launcher(facts), 0o755);
  lay(tree, UNIT, unitOfPackage(facts.unit('/usr/bin/edgecore')));
  lay(tree, 'etc/default/edgecore', defaults);
  lay(tree, 'usr/share/doc/edgecore/copyright', copyright(licences));
  lay(tree, 'usr/share/doc/edgecore/changelog.gz', gzipSync(changelog(version, maintainer, Number(SOURCE_DATE_EPOCH)), { level: 9 }));
  const files = list(tree).sort();
  for (const file of files) if (!['usr/bin/edgecore'].includes(file)) chmodSync(join(tree, file), 0o644);
  const kibibytes = files.reduce((sum, file) => sum + Math.ceil(statSync(join(tree, file)).size / 1024), 0);
  const sums = files.filter((file) => !file.startsWith('etc/')).map((file) => `${createHash('md5').update(readFileSync(join(tree, file))).digest('hex')}  ${file}\n`);
  lay(tree, 'DEBIAN/control', control({ version, sqlite, maintainer, kibibytes }));
  lay(tree, 'DEBIAN/conffiles', '/etc/default/edgecore\n');
  lay(tree, 'DEBIAN/md5sums', sums.join(''));
  for (const [name, text] of Object.entries({ postinst, prerm, postrm })) lay(tree, join('DEBIAN', name), text, 0o755);
  execFileSync('dpkg-deb', ['--root-owner-group', ...(options['no-compress'] ? ['-Znone'] : ['-Zxz', '-z6']), '--build', tree, out], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, SOURCE_DATE_EPOCH } });
  process.stdout.write(`${out}: ${(statSync(out).size / 1e6).toFixed(1)} MB, installed ${(kibibytes * 1024 / 1e6).toFixed(1)} MB\n`);
} finally {
  rmSync(folder, { recursive: true });
}

/** Everything is as the mask of whoever runs this would not have it. */
function lay(tree, path, text, mode = 0o644) {
  mkdirSync(dirname(join(tree, path)), { recursive: true, mode: 0o755 });
  writeFileSync(join(tree, path), text);
  chmodSync(join(tree, path), mode);
}

function list(tree, below = '') {
  return readdirSync(join(tree, below), { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? list(tree, join(below, entry.name)) : [join(below, entry.name)]));
}

function read() {
  try {
    const { values } = parseArgs({ options: { out: { type: 'string' }, sqlite: { type: 'string', default: ownPlatform() }, release: { type: 'string', default: ownVersion }, 'no-compress': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
    if (!sqliteChoices.includes(values.sqlite)) throw new Error(`--sqlite is "${values.sqlite}", it must be one of ${sqliteChoices.join(', ')}`);
    if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/.test(values.release)) throw new Error(`--release is "${values.release}", it must be a version as 1.2.3 or 1.2.3-rc.1`);
    if (!values.help) return { ...values, version: values.release };
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
