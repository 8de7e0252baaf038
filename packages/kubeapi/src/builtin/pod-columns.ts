import type { KubeObject } from '../types/object.js';
import type { TableColumn } from '../types/resource.js';
import { AGE, ageText, at, column, listAt, numberAt, orNone, textAt, wide } from './columns.js';

/** What goes on in a pod, in one word: the most telling state of its containers, else its phase. */
export function podState(pod: KubeObject): string {
  const reason = textAt(pod, 'status', 'reason') || textAt(pod, 'status', 'phase') || 'Pending';
  let state = initState(pod);
  if (state === undefined) {
    state = reason;
    let running = false;
    for (const container of [...listAt(pod, 'status', 'containerStatuses')].reverse()) {
      const own = containerState(container);
      if (own !== undefined) state = own;
      else if (at(container, 'state', 'running') !== undefined && at(container, 'ready') === true) running = true;
    }
    if (state === 'Completed' && running) state = isReady(pod) ? 'Running' : 'NotReady';
  }
  if (pod.metadata.deletionTimestamp === undefined) return state;
  return textAt(pod, 'status', 'reason') === 'NodeLost' ? 'Unknown' : 'Terminating';
}

/** `Init:…` while init containers are at work, undefined when they are done. */
function initState(pod: KubeObject): string | undefined {
  const statuses = listAt(pod, 'status', 'initContainerStatuses');
  for (const [index, status] of statuses.entries()) {
    const terminated = at(status, 'state', 'terminated');
    const sidecar = listAt(pod, 'spec', 'initContainers').find((c) => textAt(c, 'name') === textAt(status, 'name'));
    if (terminated !== undefined && numberAt(terminated, 'exitCode') === 0) continue;
    if (textAt(sidecar, 'restartPolicy') === 'Always' && at(status, 'started') === true) continue;
    if (terminated !== undefined) return `Init:${containerState(status) ?? 'Error'}`;
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${listAt(pod, 'spec', 'initContainers').length}`;
  }
  return undefined;
}

function containerState(status: unknown): string | undefined {
  const waiting = textAt(status, 'state', 'waiting', 'reason');
  if (waiting !== '') return waiting;
  const terminated = at(status, 'state', 'terminated');
  if (terminated === undefined) return undefined;
  const signal = numberAt(terminated, 'signal');
  return textAt(terminated, 'reason') || (signal === 0 ? `ExitCode:${numberAt(terminated, 'exitCode')}` : `Signal:${signal}`);
}

function isReady(pod: KubeObject): boolean {
  return listAt(pod, 'status', 'conditions').some((c) => textAt(c, 'type') === 'Ready' && textAt(c, 'status') === 'True');
}

function restarts(pod: KubeObject, now: Date): string {
  const statuses = [...listAt(pod, 'status', 'initContainerStatuses'), ...listAt(pod, 'status', 'containerStatuses')];
  const count = statuses.reduce<number>((sum, status) => sum + numberAt(status, 'restartCount'), 0);
  const last = statuses.map((status) => textAt(status, 'lastState', 'terminated', 'finishedAt')).sort().at(-1) ?? '';
  return count === 0 || last === '' ? String(count) : `${count} (${ageText(last, now)} ago)`;
}

function ready(pod: KubeObject): string {
  const statuses = listAt(pod, 'status', 'containerStatuses');
  return `${statuses.filter((status) => at(status, 'ready') === true).length}/${listAt(pod, 'spec', 'containers').length}`;
}

function readinessGates(pod: KubeObject): string {
  const gates = listAt(pod, 'spec', 'readinessGates').map((gate) => textAt(gate, 'conditionType'));
  if (gates.length === 0) return '<none>';
  const met = listAt(pod, 'status', 'conditions').filter((c) => gates.includes(textAt(c, 'type')) && textAt(c, 'status') === 'True');
  return `${met.length}/${gates.length}`;
}

export const POD_COLUMNS: readonly TableColumn[] = [
  column('Ready', ready),
  column('Status', podState),
  column('Restarts', restarts),
  AGE,
  wide('IP', (pod) => orNone(at(pod, 'status', 'podIP'))),
  wide('Node', (pod) => orNone(at(pod, 'spec', 'nodeName'))),
  wide('Nominated Node', (pod) => orNone(at(pod, 'status', 'nominatedNodeName'))),
  wide('Readiness Gates', readinessGates),
];
