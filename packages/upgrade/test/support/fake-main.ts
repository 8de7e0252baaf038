import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@edge/core';
import { carryOut, layoutOf, OTHER_AT_WORK, startUpgrader, StatusFile, untilReleased } from '../../src/index.js';

// The program of a played version: an agent of a few lines, and the real upgrader. How the agent behaves stands in its folder.
const [command, , root = ''] = process.argv.slice(2);
const own = dirname(fileURLToPath(import.meta.url));
const folder = join(own, '..', '..', '..', '..');
const { version, behaviour } = JSON.parse(readFileSync(join(folder, 'played.json'), 'utf8')) as { version: string; behaviour: string };

if (command === 'upgrader' && process.argv.includes('--outside')) await startUpgrader(layoutOf(root), fileURLToPath(import.meta.url), silentLogger);
else if (command === 'upgrader') process.exitCode = (await carryOut(root, { ...silentLogger, info: (text, fields) => console.log(text, JSON.stringify(fields)) } as typeof silentLogger)) ? 0 : OTHER_AT_WORK;
else await agent(process.env['EDGECORE_INSTALLATION'] ?? '');

async function agent(installation: string): Promise<void> {
  const stop = new AbortController();
  process.on('SIGTERM', () => stop.abort());
  const layout = layoutOf(installation);
  if (behaviour === 'hangs') process.on('SIGTERM', () => undefined);
  await untilReleased(layout, stop.signal);
  const data = join(installation, 'state', 'data');
  const database = join(data, 'edgecore.db');
  if (behaviour === 'exits') process.exit(1);
  if (behaviour === 'hangs') for (;;);
  // Two agents at a time would be seen here; so would a database that this version cannot read.
  if (existsSync(join(data, 'open')) && alive(Number(readFileSync(join(data, 'open'), 'utf8')))) appendFileSync(join(data, 'trouble'), `two agents\n`);
  const text = readFileSync(database, 'utf8');
  if (text.startsWith('unreadable') && behaviour !== 'spoils') process.exit(1);
  writeFileSync(join(data, 'open'), String(process.pid));
  appendFileSync(database, `${version}\n`);
  if (behaviour === 'spoils') writeFileSync(database, 'unreadable');
  const isFit = behaviour === 'good' && !readFileSync(join(installation, 'state', 'edgecore.yaml'), 'utf8').includes('bad');
  await new StatusFile({ layout, version, look: async () => ({ ready: isFit, link: true, waitingFor: isFit ? [] : [{ what: 'module edged', why: 'it starts' }] }) }).run(stop.signal);
}

function alive(pid: number): boolean {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch {
    return false;
  }
}
