import 'reflect-metadata';
import { startMinicloud, type Minicloud } from '@edge/minicloud';
import type { KubeNode, Pod } from '@edge/protocol';
import { answerQuestions } from './ask.js';
import { countPayload } from './payload.js';

type Question =
  | { readonly do: 'start'; readonly dataDir: string }
  /** Until the node is Ready by a heartbeat other than `after`. */
  | { readonly do: 'ready'; readonly node: string; readonly after: string }
  | { readonly do: 'run-pods'; readonly node: string; readonly count: number }
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
      return runPods(question.node, question.count);
    case 'payload':
      return payload;
  }
});

function readyHeartbeat(node: string, after: string): string | undefined {
  const ready = cloud.api.resource<KubeNode>('v1', 'nodes').find(node)?.status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && ready.lastHeartbeatTime !== after ? (ready.lastHeartbeatTime ?? undefined) : undefined;
}

async function runPods(nodeName: string, count: number): Promise<string> {
  const pods = cloud.api.resource<Pod>('v1', 'pods');
  const names = Array.from({ length: count }, (_, index) => `bench-${index + 1}`);
  for (const name of names) {
    const containers = [{ name: 'main', image: 'busybox:1.36', command: ['sleep', '100000'] }];
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { nodeName, containers } });
  }
  return until(() => (names.every((name) => pods.find(name, 'default')?.status?.phase === 'Running') ? 'running' : undefined));
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
