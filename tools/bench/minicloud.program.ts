import 'reflect-metadata';
import { startMinicloud, type Minicloud } from '@edge/minicloud';
import type { KubeNode, Pod } from '@edge/protocol';
import { answerQuestions } from './ask.js';
import { countPayload } from './payload.js';

type Question =
  | { readonly do: 'start'; readonly dataDir: string }
  /** Until the node is Ready by a heartbeat other than `after`. */
  | { readonly do: 'ready'; readonly node: string; readonly after: string }
  /** Names begin with `prefix`. Resolves with the milliseconds until all run. */
  | { readonly do: 'run-pods'; readonly node: string; readonly count: number; readonly prefix?: string; readonly image?: string }
  | { readonly do: 'delete-pods'; readonly prefix: string }
  | { readonly do: 'payload' };

const POLL_MS = 5;
const payload = countPayload();
let cloud: Minicloud;

answerQuestions<Question>(async (question) => {
  switch (question.do) {
    case 'start':
      cloud = await startMinicloud({ dataDir: question.dataDir });
      return { hubAddress: cloud.hubAddress, httpsUrl: `https://${cloud.httpsAddress}`, token: cloud.token() };
    case 'ready': {
      const heartbeat = await until(() => readyHeartbeat(question.node, question.after));
      return { at: Date.now(), heartbeat };
    }
    case 'run-pods':
      return runPods(question);
    case 'delete-pods':
      return deletePods(question.prefix);
    case 'payload':
      return payload;
  }
});

function readyHeartbeat(node: string, after: string): string | undefined {
  const ready = cloud.api.resource<KubeNode>('v1', 'nodes').find(node)?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && ready.lastHeartbeatTime !== after ? (ready.lastHeartbeatTime ?? undefined) : undefined;
}

async function runPods({ node, count, prefix = 'bench', image = 'busybox:1.36' }: Extract<Question, { do: 'run-pods' }>): Promise<number> {
  const pods = cloud.api.resource<Pod>('v1', 'pods');
  const names = Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
  const start = performance.now();
  for (const name of names) {
    const containers = [{ name: 'main', image, command: ['sleep', '100000'] }];
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers } });
  }
  return until(() => (names.every((name) => pods.find(name, 'default')?.status?.phase === 'Running') ? performance.now() - start : undefined));
}

async function deletePods(prefix: string): Promise<string> {
  const pods = cloud.api.resource<Pod>('v1', 'pods');
  const names = (await pods.list()).items.map(({ metadata }) => metadata.name ?? '').filter((name) => name.startsWith(`${prefix}-`));
  for (const name of names) await pods.delete(name, 'default');
  return until(() => (names.every((name) => pods.find(name, 'default') === undefined) ? 'gone' : undefined));
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
