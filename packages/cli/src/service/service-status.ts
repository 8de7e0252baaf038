import type { LinkStatus, ModuleHealth } from '@edge/core';
import type { Standing } from '../modules/standing.js';

/** What the service manager is shown of the agent. */
export interface ServiceStatus {
  /** Every module has got through its start, well or not: one that cannot run must not have the others ended. */
  readonly started: boolean;
  /** One line of what is wrong, or that nothing is. */
  readonly text: string;
}

/** How long a line is cut off after, in letters. */
const LONGEST = 300;

/** What to tell the service manager about modules and link. */
export function serviceStatus(modules: Readonly<Record<string, ModuleHealth>>, link: LinkStatus, unfollowed: readonly Standing[] = []): ServiceStatus {
  const all = Object.entries(modules);
  const started = all.length > 0 && all.every(([, { phase, restarts }]) => (phase !== 'waiting' && phase !== 'starting') || restarts > 0);
  const wrong = all.filter(([, { phase }]) => phase !== 'ready' && phase !== 'done').map(([name, health]) => describe(name, health));
  if (!link.connected && started) wrong.push(`the cloud is not reached: ${link.reason ?? 'no reason known'}`);
  for (const { what, why } of unfollowed) wrong.push(`${what}: ${why}`);
  const line = wrong.length === 0 ? 'all modules are ready, the cloud is connected' : wrong.join('; ');
  return { started, text: line.replace(/\s+/g, ' ').slice(0, LONGEST) };
}

function describe(name: string, { phase, lastError }: ModuleHealth): string {
  const words = { waiting: 'waits for others', starting: 'starts', restarting: 'has crashed and is started again', failed: 'has failed and stays down', ready: 'is ready', done: 'is done' };
  return `${name} ${words[phase]}${lastError === undefined ? '' : ` (${lastError})`}`;
}
