import type { Core, LinkStatus, ModuleHealth } from '@edge/core';
import { createMessage, isFields, Operations } from '@edge/protocol';
import { StatusFile, type AgentStatus, type Awaited, type Layout } from '@edge/upgrade';
import { AGENT_VERSION } from '../version.js';

/** edged looks at the container runtime for it, which may hang. */
const PATIENCE_MS = 5_000;

/**
 * Says in the installation that this agent runs from how it is, until the signal: an upgrade is judged by that.
 * @param unfollowed what of the role file cannot be followed; an upgrade that loses a node its module is taken back
 */
export function reportStatus(core: Core, layout: Layout, unfollowed: () => readonly Awaited[], signal: AbortSignal): Promise<void> {
  const look = async (): Promise<Omit<AgentStatus, 'pid' | 'version'>> => {
    const modules = waitingModules(core.health.value);
    const runsPods = core.health.value['edged']?.phase === 'ready';
    return statusOf(core.link.value, [...modules, ...unfollowed(), ...(runsPods ? await waitingNode(core, signal) : [])]);
  };
  return new StatusFile({ layout, version: AGENT_VERSION, look }).run(signal);
}

function statusOf(link: LinkStatus, waitingFor: readonly Awaited[]): Omit<AgentStatus, 'pid' | 'version'> {
  return { ready: waitingFor.length === 0, link: link.connected, waitingFor };
}

/** The modules that are not ready; before the first one starts, all of them as one. */
export function waitingModules(health: Readonly<Record<string, ModuleHealth>>): readonly Awaited[] {
  const all = Object.entries(health);
  if (all.length === 0) return [{ what: 'modules', why: 'none has started' }];
  return all.flatMap(([name, { phase, lastError }]) => (phase === 'ready' || phase === 'done' ? [] : [{ what: `module ${name}`, why: lastError ?? phase }]));
}

async function waitingNode(core: Core, signal: AbortSignal): Promise<readonly Awaited[]> {
  const question = createMessage({ source: 'edgecore', group: 'edged', operation: Operations.get, resource: 'node/readiness' });
  const answer = await core.bus.request({ module: 'edged' }, question, { timeoutMs: PATIENCE_MS, signal }).catch(() => undefined);
  const { ready, reason } = isFields(answer?.content) ? answer.content : {};
  if (ready === true) return [];
  return [{ what: 'node', why: typeof reason === 'string' ? reason : 'edged does not say how the node is' }];
}
