import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { idle, shell } from './pod-handle.js';

const LOG = { volumeMounts: [{ name: 'log', mountPath: '/log' }] };
const volumes = [{ name: 'log', emptyDir: {} }];
const note = (word: string): string => `echo ${word} >> /log/order`;

/** Containers that come before, beside and after the others. */
export function initSpecs(cluster: () => Cluster): void {
  it.each(['Never', 'Always'] as const)('[conf-9.1] init containers of a %s pod run one after the other, then the others', async (restartPolicy) => {
    await using pod = await cluster().start({
      restartPolicy,
      initContainers: [shell(`sleep 1; ${note('one')}`, { name: 'one', ...LOG }), shell(note('two'), { name: 'two', ...LOG })],
      containers: [shell(`${note('main')}; cat /log/order; ${restartPolicy === 'Always' ? 'sleep 3600' : ''}`, LOG)],
      volumes,
    });
    if (restartPolicy === 'Always') await pod.ready();
    else await pod.succeeded();
    await pod.said('main');
    expect(pod.output()).toBe('one\ntwo\nmain');
    expect(pod.condition('Initialized')).toBe('True');
    for (const name of ['one', 'two']) expect(pod.container(name)).toMatchObject({ ready: true, restartCount: 0, state: { terminated: { exitCode: 0 } } });
  });

  it('[conf-9.2] while an init container of an Always pod fails it is repeated and nothing else starts', async () => {
    await using pod = await cluster().start({ restartPolicy: 'Always', initContainers: [shell('exit 1', { name: 'one' }), shell('true', { name: 'two' })], containers: [idle()] });
    await pod.restarted(2, 'one');
    expect(pod.now?.status?.phase).toBe('Pending');
    expect(pod.condition('Initialized')).toBe('False');
    for (const name of ['two', 'main']) expect(pod.container(name)).toMatchObject({ state: { waiting: { reason: 'PodInitializing' } }, restartCount: 0 });
  });

  it('[conf-9.3] an init container that fails ends a Never pod', async () => {
    await using pod = await cluster().run({ initContainers: [shell('true', { name: 'one' }), shell('exit 4', { name: 'two' })], containers: [idle()] });
    expect(pod.now?.status?.phase).toBe('Failed');
    expect(pod.container('two').state.terminated?.exitCode).toBe(4);
    expect(pod.container()).toMatchObject({ state: { waiting: { reason: 'PodInitializing' } } });
  });

  it('[conf-9.4] a sidecar starts before, is waited for until it has started, is restarted, and does not keep the pod from ending', async () => {
    await using pod = await cluster().start({
      initContainers: [
        shell(`sleep 2; touch /tmp/up; ${note('side')}; trap "exit 0" TERM; sleep 3600 & wait $!`, { name: 'side', restartPolicy: 'Always', ...LOG, startupProbe: { exec: { command: ['cat', '/tmp/up'] }, periodSeconds: 1, failureThreshold: 30 } }),
        // Long enough to be seen running: that is when the next one may start.
        shell('sleep 2; exit 1', { name: 'crashing', restartPolicy: 'Always' }),
        shell(note('init'), { name: 'init', ...LOG }),
      ],
      containers: [shell(`${note('main')}; cat /log/order; until [ -e /log/go ]; do sleep 0.2; done`, LOG)],
      volumes,
    });
    await pod.said('main');
    expect(pod.output()).toBe('side\ninit\nmain');
    // What a container says is there before its status is in the cloud.
    await pod.until('side ready', () => pod.container('side').ready && pod.container('side').started === true && pod.container('side').state.running !== undefined);
    await pod.restarted(1, 'crashing');
    await pod.until('running', () => pod.container().state.running !== undefined);
    await pod.exec(['touch', '/log/go']);
    await pod.succeeded();
    expect(pod.container('side').state.terminated?.exitCode).toBe(0);
  });

  it('[conf-9.5] regular containers end before sidecars, and these in turn from the last to the first', async () => {
    const file = cluster().unique('ends');
    const shared = { volumeMounts: [{ name: 'shared', mountPath: '/shared' }] };
    const told = (word: string): string => `trap 'sleep 1; echo ${word} >> /shared/${file}; exit 0' TERM; while true; do sleep 3600 & wait $!; done`;
    const sharedVolume = [{ name: 'shared', hostPath: { path: cluster().shared, type: 'DirectoryOrCreate' } }];
    await using pod = await cluster().start({
      terminationGracePeriodSeconds: 30,
      initContainers: [shell(told('first'), { name: 'first', restartPolicy: 'Always', ...shared }), shell(told('second'), { name: 'second', restartPolicy: 'Always', ...shared })],
      containers: [shell(told('main'), shared)],
      volumes: sharedVolume,
    });
    await pod.ready();
    await pod.remove(30);
    await pod.gone();
    await using reader = await cluster().run({ containers: [shell(`cat /shared/${file}`, shared)], volumes: sharedVolume });
    expect(reader.output()).toBe('main\nsecond\nfirst');
  });

  it('[conf-9.6] an ephemeral container looks at a running pod, is not repeated and does not end it', async () => {
    await using pod = await cluster().start({ containers: [idle()] });
    await pod.ready();
    await pod.change((copy) => {
      const common = { image: copy.spec.containers[0]?.image ?? '', imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', resources: {} } as const;
      copy.spec.ephemeralContainers = [{ name: 'debug', ...common, targetContainerName: 'main', command: ['sh', '-c', 'echo polo; tr "\\0" " " < /proc/1/cmdline; exit 3'] }];
    });
    await pod.until('looked at', () => pod.container('debug').state.terminated !== undefined);
    await delay(1500);
    expect(pod.container('debug')).toMatchObject({ restartCount: 0, state: { terminated: { exitCode: 3 } } });
    expect(pod.output('debug')).toContain('polo');
    expect(pod.output('debug')).toContain('trap');
    expect(pod.now?.status?.phase).toBe('Running');
    expect(pod.container()).toMatchObject({ restartCount: 0, ready: true });
  });
}
