import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import { openKillableScene } from '../support/killable-scene.js';
import { NODE } from '../support/scene.js';
import { watchConfigMaps } from './watcher.js';

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const DEPLOYMENT = {
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'default' },
  // Nothing is to run here: no node has this label.
  spec: { replicas: 1, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { nodeSelector: { none: 'such' }, containers: [{ name: 'c', image: 'i' }] } } },
};
const configMap = (n: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' }, data: { n } });

it('[cli-7.1] the whole agent: kubectl on the node reads, changes and watches with the cloud, reads without it, after a restart too, and the watch goes on when it is back', { timeout: 240_000 }, async () => {
  await using scene = await openKillableScene({ hasNodeApi: true });
  const url = `http://127.0.0.1:${scene.nodeApiPort}`;
  const kubectl = (args: readonly string[], input = ''): Promise<Result> =>
    new Promise((resolve) => {
      const child = execFile('kubectl', ['--server', url, ...args], { timeout: 60_000, env: { ...process.env, HOME: scene.folder, KUBECONFIG: '' } }, (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err }));
      child.stdin?.end(input);
    });
  const mustRun = async (args: readonly string[], input?: string): Promise<string> => {
    const { code, out, err } = await kubectl(args, input);
    expect({ args, code, err }).toEqual({ args, code: 0, err: '' });
    return out;
  };
  await scene.ready(0, 60_000);

  expect(await mustRun(['get', 'nodes'])).toMatch(new RegExp(`^${NODE}\\s+Ready\\s`, 'm'));
  expect(await mustRun(['describe', 'node', NODE])).toContain('EdgeReady');
  await mustRun(['apply', '-f', '-'], configMap('1'));
  {
    await using watcher = await watchConfigMaps(url, 'default');
    await mustRun(['apply', '-f', '-'], configMap('2'));
    await mustRun(['patch', 'configmap', 'a', '--type=merge', '-p', '{"data":{"n":"3"}}']);
    await watcher.until('MODIFIED a 3');
    await mustRun(['create', '-f', '-'], JSON.stringify(DEPLOYMENT));
    await mustRun(['scale', 'deployment/web', '--replicas=2']);
    await eventually(async () => (await mustRun(['get', 'pods', '-A'])).split('\n').filter((line) => line.includes('web-')).length === 2, 40_000, () => 'there are not two pods');
    await mustRun(['delete', 'deployment', 'web', '--wait=false']);
    expect((await kubectl(['get', 'deployment', 'web'])).err).toContain('not found');

    await scene.killCloud(async () => {
      await eventually(async () => (await kubectl(['get', 'configmap', 'a', '-o', 'jsonpath={.data.n}'])).err.includes('Warning'), 40_000, () => 'no warning without the cloud');
      for (const restart of [false, true]) {
        if (restart) {
          await scene.agent.stop();
          scene.agent.start();
          await eventually(async () => (await kubectl(['get', 'nodes'])).code === 0, 40_000, () => scene.agent.log.slice(-1500));
        }
        expect(await kubectl(['get', 'configmap', 'a', '-o', 'jsonpath={.data.n}'])).toMatchObject({ code: 0, out: '3', err: expect.stringContaining('Warning') });
        expect((await kubectl(['get', 'nodes'])).out).toContain(NODE);
        const refused = await kubectl(['patch', 'configmap', 'a', '--type=merge', '-p', '{"data":{"n":"x"}}']);
        expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('ServiceUnavailable') });
      }
    });
    // What happens in the cloud now reaches the watch that began before all this: each change once, nothing else.
    await scene.ready(Date.now(), 60_000);
    await scene.kubectl('patch', 'configmap', 'a', '--type=merge', '-p', '{"data":{"n":"4"}}');
    await watcher.until('MODIFIED a 4');
    await mustRun(['delete', 'configmap', 'a']);
    await watcher.until('DELETED a 4');
    expect(watcher.seen).toEqual(['MODIFIED a 2', 'MODIFIED a 3', 'MODIFIED a 4', 'DELETED a 4']);
  }

  // A port that another program has: named, tried again, and the rest of the agent runs.
  await scene.agent.stop();
  const squatter = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => squatter.listen(scene.nodeApiPort, '127.0.0.1', resolve));
  const since = Date.now();
  scene.agent.start();
  await scene.agent.logged(new RegExp(`cannot listen on 127\\.0\\.0\\.1:${scene.nodeApiPort}: another program has this port`), 40_000);
  await scene.ready(since, 60_000);
  await new Promise((resolve) => squatter.close(resolve));
  await eventually(async () => (await kubectl(['get', 'nodes'])).code === 0, 60_000, () => scene.agent.log.slice(-1500));
});
