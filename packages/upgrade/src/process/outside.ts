import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { errorText, type Logger } from '@edge/core';
import type { Layout } from '../layout/layout.js';
import { runCommand } from '../service/run-command.js';

/** Code with which the upgrader says that another one is at work. */
export const OTHER_AT_WORK = 3;

/**
 * Repeats the command, with a second between, as long as there is a change under way: an upgrader that was killed is followed by
 * another. Not without end, for the cause may be what it does.
 */
const LOOP = `root=$1; shift; times=0
while [ -f "$root/journal.json" ] && [ "$times" -lt 20 ]; do
  [ "$times" -eq 0 ] || sleep 1
  "$@" >>"$root/upgrade.log" 2>&1 </dev/null
  [ "$?" -ne ${OTHER_AT_WORK} ] || break
  times=$((times + 1))
done`;

export interface OutsideDeps {
  readonly layout: Layout;
  /** Words of the command that carries out the change. */
  readonly command: readonly string[];
  readonly log: Logger;
  /** Whether systemd runs this machine. */
  readonly systemdRuns?: boolean;
}

/**
 * Starts the process that carries out a change so that it outlives the agent, however that ends: as a unit of its own where
 * systemd runs, for systemd may kill all that is in the agent's control group; else in a session of its own.
 */
export async function startOutside({ layout, command, log, systemdRuns = existsSync('/run/systemd/system') }: OutsideDeps): Promise<void> {
  const words = ['/bin/sh', '-c', LOOP, 'edgecore-upgrade', layout.root, ...command];
  if (systemdRuns) {
    try {
      await runCommand('systemd-run', ['--quiet', '--collect', `--unit=edgecore-upgrade-${Date.now()}`, '--property=OOMScoreAdjust=-999', ...words]);
      return;
    } catch (error) {
      log.warn('systemd does not start the upgrade as a unit of its own; it runs in a session of its own', { err: errorText(error) });
    }
  }
  const [program = '', ...args] = words;
  const output = openSync(layout.log, 'a', 0o640);
  const child = spawn(program, args, { detached: true, stdio: ['ignore', output, output], cwd: '/' });
  closeSync(output);
  child.unref();
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}
