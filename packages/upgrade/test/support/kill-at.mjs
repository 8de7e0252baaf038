// Loaded before a program: as soon as something was put in its place by a rename, the machine loses power, once: the upgrader, what
// would start it again, and the agent end at this very moment. What is asked for stands in a file.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const { rename } = fs.promises;
fs.promises.rename = async (from, to) => {
  await rename(from, to);
  const root = process.argv[process.argv.indexOf('--installation') + 1];
  const order = join(root, 'kill-at');
  if (!process.argv.includes('upgrader') || !fs.existsSync(order)) return;
  const [at, whom] = fs.readFileSync(order, 'utf8').split(' ');
  // A phase that was noted, or a file that was put in its place in the middle of a step.
  const { phase, attempts } = JSON.parse(fs.readFileSync(join(root, 'journal.json'), 'utf8'));
  if (at.startsWith('/') ? !String(to).endsWith(at) : !String(to).endsWith('/journal.json') || phase !== at || attempts === 0) return;
  fs.rmSync(order);
  fs.appendFileSync(join(root, 'killed'), `${at} ${whom}\n`);
  const pids = whom === 'all' ? [process.ppid, Number(fs.readFileSync(join(root, 'agent.pid'), 'utf8'))] : [];
  for (const pid of [...pids, process.pid]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It does not run at the moment.
    }
  }
};
syncBuiltinESMExports();
