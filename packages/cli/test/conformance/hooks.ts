import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { startHostServer } from './host-server.js';
import { idle, shell } from './pod-handle.js';

const LOCAL = '127.0.0.1';

/** A time to end, seconds, that no test would live to see used up. */
const LONG_S = 280;

/** What is called after a container has started and before it is told to end. */
export function hookSpecs(cluster: () => Cluster): void {
  it('[conf-4.1] exec hooks run inside their container, after its start and before its end', async () => {
    const file = cluster().unique('hook');
    const mounts = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    const volumes = [{ name: 'shared', hostPath: { path: cluster().shared, type: 'DirectoryOrCreate' } }];
    await using pod = await cluster().start({
      terminationGracePeriodSeconds: 30,
      containers: [
        shell(`trap 'echo asked >> /shared/${file}; exit 0' TERM; while true; do sleep 3600 & wait $!; done`, {
          ...mounts,
          lifecycle: {
            postStart: { exec: { command: ['sh', '-c', `echo started in $(hostname) >> /shared/${file}`] } },
            preStop: { exec: { command: ['sh', '-c', `sleep 1; echo stopping >> /shared/${file}`] } },
          },
        }),
      ],
      volumes,
    });
    await pod.ready();
    await pod.remove(30);
    await pod.gone();
    await using reader = await cluster().run({ containers: [shell(`cat /shared/${file}`, mounts)], volumes });
    expect(reader.output().split('\n')).toEqual([`started in ${pod.name}`, 'stopping', 'asked']);
  });

  it.each(['http', 'https'] as const)('[conf-4.2] %s hooks are requests of the agent', async (kind) => {
    await using server = await startHostServer(kind);
    const get = (path: string): object => ({ httpGet: { scheme: kind.toUpperCase(), host: LOCAL, port: server.port, path, httpHeaders: [{ name: 'X-Hook', value: 'spec' }] } });
    await using pod = await cluster().start({ terminationGracePeriodSeconds: 20, containers: [idle({ lifecycle: { postStart: get('/poststart?of=it'), preStop: get('/prestop') } })] });
    expect((await server.asked('/poststart?of=it')).headers['x-hook']).toBe('spec');
    await pod.ready();
    expect(server.requests).toHaveLength(1);
    await pod.remove(20);
    await server.asked('/prestop');
    await pod.gone();
  });

  it('[conf-4.3] a container whose postStart hook fails is ended and told about', async () => {
    await using pod = await cluster().start({ containers: [idle({ lifecycle: { postStart: { exec: { command: ['false'] } } } }), idle({ name: 'other' })] });
    await pod.until('ended', () => pod.container().state.terminated !== undefined);
    expect(pod.container('other').state.running).toBeDefined();
    await pod.told('FailedPostStartHook');
  });

  it('[conf-4.4] a preStop hook that sleeps holds the end up, a failing one does not, and one that takes too long is cut off by the grace period', async () => {
    const timed = async (preStop: object, grace: number): Promise<number> => {
      await using pod = await cluster().start({ terminationGracePeriodSeconds: grace, containers: [idle({ lifecycle: { preStop } })] });
      await pod.ready();
      const began = Date.now();
      await pod.remove(grace);
      await pod.gone();
      return Date.now() - began;
    };
    const [slept, failed, cut] = await Promise.all([timed({ sleep: { seconds: 3 } }, LONG_S), timed({ exec: { command: ['false'] } }, LONG_S), timed({ exec: { command: ['sleep', '600'] } }, 3)]);
    expect(slept).toBeGreaterThanOrEqual(2800);
    for (const took of [slept, failed, cut]) expect(took).toBeLessThan(LONG_S * 1000);
    expect(cut).toBeGreaterThanOrEqual(2500);
  });

  it('[conf-4.5] hooks of init containers that go on', async () => {
    await using server = await startHostServer('http');
    const get = (path: string): object => ({ httpGet: { host: LOCAL, port: server.port, path } });
    await using pod = await cluster().start({
      terminationGracePeriodSeconds: 20,
      initContainers: [idle({ name: 'side', restartPolicy: 'Always', lifecycle: { postStart: get('/side-started'), preStop: get('/side-stops') } })],
      containers: [idle({ lifecycle: { postStart: get('/main-started'), preStop: get('/main-stops') } })],
    });
    await pod.ready();
    await pod.remove(20);
    await pod.gone();
    expect(server.requests.map(({ url }) => url)).toEqual(['/side-started', '/main-started', '/main-stops', '/side-stops']);
  });
}
