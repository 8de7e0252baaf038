// `npm run image`: a container image of the agent, made without a container engine of the programs of this machine.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.mjs';
import { loadFacts } from './packaging/load-facts.mjs';
import { imageArchive } from './packaging/oci.mjs';
import { layProgram, ownPlatform, version } from './packaging/program.mjs';
import { layBusybox, layLibraries, layProgramWithLibraries, laySkeleton } from './packaging/rootfs.mjs';

/** What the agent asks for on a machine; without them volumes of its own, addresses and the mesh's rules are not there. */
const HELPERS = ['mount', 'umount', 'ip', 'nft'];
const usage = `usage: npm run image [-- options]

Writes the agent's container image, in the OCI layout, as one archive. It holds the Node.js that runs this script, the agent
in one file, and of this machine busybox and ${HELPERS.join(', ')}. docs/install.md says how to run it.

  --out file       edgecore-<version>-<architecture>.tar unless given
  --name name      localhost/edge/edgecore:<version> unless given
  --no-compress    layers as they are: sooner, larger
`;

const options = read();
const out = resolve(process.env.INIT_CWD ?? '.', options.out ?? `edgecore-${version}-${process.arch}.tar`);
const name = options.name ?? `localhost/edge/edgecore:${version}`;
// What is in it is for everybody, whatever mask whoever runs this has.
process.umask(0o022);
const folder = mkdtempSync(join(tmpdir(), 'edge-image-'));
try {
  const [facts] = await Promise.all([loadFacts(), bundle(join(folder, 'bundle', 'edgecore.mjs'))]);
  const [machine, program, draft] = ['machine', 'program', 'draft'].map((part) => join(folder, part));
  for (const path of [machine, program, draft]) mkdirSync(path);

  laySkeleton(machine);
  layProgramWithLibraries(machine, process.execPath);
  const absent = HELPERS.filter((helper) => !layProgramWithLibraries(machine, helper));
  if (!layBusybox(machine)) absent.push('busybox');
  if (absent.length > 0) process.stderr.write(`not on this machine, so not in the image: ${absent.join(', ')}\n`);
  const sqlite = hasSqlite() ? 'node' : ownPlatform();
  layProgram(join(folder, 'bundle', 'edgecore.mjs'), join(program, 'usr', 'lib', 'edgecore'), sqlite);
  if (sqlite !== 'node') layLibraries(machine, join(program, 'usr', 'lib', 'edgecore', 'node_modules', '@libsql', sqlite, 'index.node'));
  const main = '/usr/lib/edgecore/edgecore.mjs';
  // For whoever runs a command in the container.
  mkdirSync(join(program, 'usr', 'bin'), { recursive: true });
  symlinkSync(main, join(program, 'usr', 'bin', 'edgecore'));
  const config = {
    Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...Object.entries(facts.environment).map(([key, value]) => `${key}=${value}`)],
    Entrypoint: ['/usr/bin/node', ...facts.flags, main],
    WorkingDir: '/',
    StopSignal: 'SIGTERM',
    Labels: { 'org.opencontainers.image.title': 'edgecore', 'org.opencontainers.image.version': version, 'org.opencontainers.image.licenses': 'Apache-2.0' },
  };
  const { bytes, layers } = imageArchive({ folder: draft, name, layers: [machine, program], config, out, compress: !options['no-compress'] });
  process.stdout.write(`${out}: ${name}, ${megabytes(bytes)} (${megabytes(layers[0])} Node.js and the machine, ${megabytes(layers[1])} the agent)\n`);
} finally {
  rmSync(folder, { recursive: true });
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Node.js from 22.13 on has a SQLite of its own. */
function hasSqlite() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

function read() {
  try {
    const { values } = parseArgs({ options: { out: { type: 'string' }, name: { type: 'string' }, 'no-compress': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
    if (values.name !== undefined && !/^[a-z0-9.:/_-]+:[\w.-]+$/.test(values.name)) throw new Error(`--name is "${values.name}", it must be a name with a tag as registry.example/edge/edgecore:1.0.0`);
    if (!values.help) return values;
    process.stdout.write(usage);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.message}\n\n${usage}`);
    process.exit(2);
  }
}
