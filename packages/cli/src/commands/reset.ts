import { usage } from '../flags/help.js';
import { parseOnlyFlags } from '../flags/parse.js';
import { readBoolean, type FlagSpec } from '../flags/spec.js';
import { mustBeRoot } from '../install/install.js';
import { readPlaces } from '../install/places.js';
import { reset as takeAll } from '../install/reset.js';
import type { Terminal } from '../program.js';
import { answered, PLACE_FLAGS } from './install.js';

const FLAGS: readonly FlagSpec[] = [...PLACE_FLAGS, { name: 'force', shorthand: 'f', bare: 'true', help: 'Do not ask first.' }].sort((a, b) => (a.name < b.name ? -1 : 1));

const HELP = `Stops the agent and removes all that it has made on this machine: its pods, database, certificates,
configuration, service and versions. What others have put beside stays. The Node object in the cloud
stays, too: kubectl delete node removes it.

${usage('edgecore reset [flags]', [{ title: 'Flags', flags: FLAGS }])}`;

/** Longer than pods take to end, with mounts that hang. */
const TIMEOUT_MS = 600_000;

/** `edgecore reset`. */
export function reset(args: readonly string[], terminal: Terminal): Promise<number> {
  return answered(terminal, async () => {
    const values = parseOnlyFlags(FLAGS, args);
    if (readBoolean(values['help'] ?? 'false')) return terminal.out(HELP);
    const places = readPlaces(values);
    mustBeRoot(places, 'reset');
    if (!readBoolean(values['force'] ?? 'false') && !(await agreed(terminal, places.root ?? 'this machine'))) {
      terminal.err('Nothing was removed.\n');
      return 1;
    }
    const { removed, left } = await takeAll({ places, env: terminal.env, signal: AbortSignal.timeout(TIMEOUT_MS) });
    terminal.out(removed.map((what) => `Removed ${what}.\n`).join('') || 'There was nothing to remove.\n');
    if (left.length === 0) return 0;
    terminal.err(`${left.map((what) => `Left: ${what}\n`).join('')}Some pods could not be removed, so the rest is there still: do it again when the reason is gone.\n`);
    return 1;
  });
}

async function agreed(terminal: Terminal, where: string): Promise<boolean> {
  const answer = (await terminal.ask?.(`This ends all pods of the agent and removes its data, certificates and configuration from ${where}. Go on? [y/N] `)) ?? '';
  return /^y(es)?$/i.test(answer.trim());
}
