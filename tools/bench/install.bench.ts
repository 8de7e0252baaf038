import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { footprint, megabytes, type InstalledPackage } from '../footprint.js';
import { figure } from './figure.js';
import { installAgent, packAgent } from './packed-install.js';

const LISTED = 12;

function report(title: string, folder: string, seconds: number): void {
  const packages = footprint(folder, '@edge/cli');
  const own = packages.filter(({ name }) => name.startsWith('@edge/'));
  const others = packages.filter((one) => !own.includes(one));
  figure(`${title}, size`, megabytes(packages), 'MB', `without Node.js; own packages ${megabytes(own).toFixed(1)} MB, others ${megabytes(others).toFixed(1)} MB; ${packages.reduce((sum, { files }) => sum + files, 0)} files`);
  figure(`${title}, packages`, packages.length, 'packages', `${own.length} own, ${others.length} of others`);
  figure(`${title}, npm install`, seconds, 's', "archives from the disk, others' packages from what npm remembers");
  if (title === 'agent') for (const one of packages.slice(0, LISTED)) list(one);
}

function list({ name, version, bytes, files }: InstalledPackage): void {
  figure(`  ${name} ${version}`, bytes / 1e6, 'MB', `${files} files`);
}

const folder = mkdtempSync(join(tmpdir(), 'edge-bench-'));
try {
  const archives = packAgent(join(folder, 'archives'));
  const packed = archives.reduce((sum, path) => sum + statSync(path).size, 0) / 1e6;
  figure('agent, own packages as they are fetched', packed, 'MB', `${archives.length} archives`);
  // What others have made is in npm's memory from here on.
  installAgent(join(folder, 'first'), archives);
  report('agent', join(folder, 'full'), installAgent(join(folder, 'full'), archives));
  report("agent with Node's own SQLite (--omit=optional)", join(folder, 'bare'), installAgent(join(folder, 'bare'), archives, true));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
