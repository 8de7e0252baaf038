import { carryOut, layoutOf, OTHER_AT_WORK, startUpgrader } from '@edge/upgrade';
import { EdgeError } from '@edge/core';
import { parseOnlyFlags } from '../flags/parse.js';
import { readBoolean, type FlagSpec } from '../flags/spec.js';
import { createKlog } from '../log/klog.js';
import { stderrSink } from '../log/sink.js';

const FLAGS: readonly FlagSpec[] = [
  { name: 'installation', value: 'folder', help: 'Folder of the installation.' },
  { name: 'outside', bare: 'true', help: 'In a process of its own.' },
];

/** `edgecore upgrader`: carries out the change of an installation that is under way. Started by the launcher and by upgrades, never by hand. */
export async function upgrader(args: readonly string[]): Promise<number> {
  const values = parseOnlyFlags(FLAGS, args);
  const root = values['installation'];
  if (root === undefined) throw new EdgeError('cli.flag', '--installation is missing');
  const log = createKlog(stderrSink(), { level: 0, patterns: [] });
  const program = process.argv[1];
  if (readBoolean(values['outside'] ?? 'false') && program !== undefined) {
    await startUpgrader(layoutOf(root), program, log);
    return 0;
  }
  return (await carryOut(root, log)) ? 0 : OTHER_AT_WORK;
}
