import { startRegistry } from '@edge/testing';
import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { ECHO_IMAGE, NAMED_USER_IMAGE } from './images.js';
import { idle, shell } from './pod-handle.js';

const COUNT = 'n=$(cat /data/n 2>/dev/null || echo 0); n=$((n+1)); echo $n > /data/n;';
const data = { volumeMounts: [{ name: 'data', mountPath: '/data' }] };
const volumes = [{ name: 'data', emptyDir: {} }];

/** What containers are made of and how they end. */
export function runtimeSpecs(cluster: () => Cluster): void {
  it('[conf-2.1] Always: a container that ended is started again and the pod stays Running', async () => {
    await using pod = await cluster().start({ restartPolicy: 'Always', containers: [shell(`${COUNT} [ $n -gt 1 ] && sleep 3600; exit 1`, data)], volumes });
    await pod.restarted(1);
    await pod.ready();
    expect(pod.now?.status?.phase).toBe('Running');
    expect(pod.container()).toMatchObject({ restartCount: 1, ready: true, state: { running: {} }, lastState: { terminated: { exitCode: 1, reason: 'Error' } } });
  });

  it('[conf-2.2] OnFailure: a container is started again until it succeeds', async () => {
    await using pod = await cluster().run({ restartPolicy: 'OnFailure', containers: [shell(`${COUNT} [ $n -gt 1 ]`, data)], volumes });
    expect(pod.now?.status?.phase).toBe('Succeeded');
    expect(pod.container()).toMatchObject({ restartCount: 1, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } });
  });

  it('[conf-2.3] Never: a container runs once; one that fails fails the pod, also when another succeeds', async () => {
    await using pod = await cluster().run({ containers: [shell('exit 5'), shell('exit 0', { name: 'good' })] });
    expect(pod.now?.status?.phase).toBe('Failed');
    expect(pod.container()).toMatchObject({ restartCount: 0, ready: false, state: { terminated: { exitCode: 5, reason: 'Error' } } });
    expect(pod.container('good')).toMatchObject({ state: { terminated: { exitCode: 0, reason: 'Completed' } } });
    const { startedAt, finishedAt } = pod.container().state.terminated ?? {};
    expect(Date.parse(finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
  });

  it('[conf-2.4] last words: from the file, from the log when it failed and the file is empty, and none when all is well', async () => {
    const fallback = { terminationMessagePolicy: 'FallbackToLogsOnError' } as const;
    await using pod = await cluster().run({
      containers: [
        shell('echo -n DONE > /dev/custom-path', { name: 'path', terminationMessagePath: '/dev/custom-path' }),
        shell('echo -n DONE > /dev/own-path', { name: 'nonroot', terminationMessagePath: '/dev/own-path', securityContext: { runAsUser: 1000 } }),
        shell('echo -n DONE; exit 1', { name: 'log', ...fallback }),
        shell('echo -n DONE', { name: 'well', ...fallback }),
        shell('echo -n OK > /dev/termination-log', { name: 'file', ...fallback }),
        shell('head -c 9000 /dev/zero | tr "\\0" x > /dev/termination-log; exit 1', { name: 'long' }),
      ],
    });
    const said = (name: string): string => pod.container(name).state.terminated?.message ?? '';
    expect({ path: said('path'), nonroot: said('nonroot'), log: said('log'), well: said('well'), file: said('file') }).toEqual({ path: 'DONE', nonroot: 'DONE', log: 'DONE', well: '', file: 'OK' });
    expect(said('long')).toMatch(/^x{1000,4096}$/);
  });

  it('[conf-2.5] a command that is not there is told as StartError', async () => {
    await using pod = await cluster().run({ containers: [{ name: 'main', command: ['/no/such/program'] }] });
    expect(pod.now?.status?.phase).toBe('Failed');
    expect(pod.container().state.terminated).toMatchObject({ reason: 'StartError', exitCode: 128 });
    expect(pod.container().state.terminated?.message).toContain('/no/such/program');
  });

  it('[conf-2.6] what takes more memory than its limit is killed and told as OOMKilled', async () => {
    await using pod = await cluster().run({ containers: [shell('dd if=/dev/zero of=/dev/null bs=200M count=2', { resources: { limits: { memory: '24Mi' } } })] });
    expect(pod.container().state.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  });

  it('[conf-2.7] command and arguments: the image\'s own unless the pod gives others', async () => {
    await using pod = await cluster().run({
      containers: [
        { name: 'neither', image: ECHO_IMAGE },
        { name: 'args', image: ECHO_IMAGE, args: ['own', 'args'] },
        { name: 'command', image: ECHO_IMAGE, command: ['/bin/echo', 'command'] },
        { name: 'both', image: ECHO_IMAGE, command: ['/bin/echo', 'both'], args: ['given'] },
      ],
    });
    const outputs = ['neither', 'args', 'command', 'both'].map((name) => pod.output(name));
    expect(outputs).toEqual(['entry default args', 'entry own args', 'command', 'both given']);
  });

  it('[conf-2.8] user, folder, variables and stop signal of the image count', async () => {
    await using pod = await cluster().start({
      terminationGracePeriodSeconds: 280,
      containers: [shell('id -u; pwd; echo $KIND; trap "echo interrupted; exit 0" INT; while true; do sleep 3600 & wait $!; done', { image: NAMED_USER_IMAGE })],
    });
    await pod.said('image');
    expect(pod.output().split('\n')).toEqual(['1000', '/home', 'image']);
    // Were the time to end used up, this test would be over before.
    await pod.remove(280);
    await pod.gone();
  });

  it('[conf-2.9] images are pulled by policy: with the secret that a registry wants, never without it', { timeout: 120_000 }, async () => {
    const account = { username: 'edge', password: 'secret' };
    await using registry = await startRegistry({ images: [{ name: 'private/tool:1', config: { Entrypoint: ['/bin/echo', 'pulled'] } }], account });
    const auth = Buffer.from('edge:secret').toString('base64');
    const secret = await cluster().make('secrets', {
      type: 'kubernetes.io/dockerconfigjson',
      data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths: { [registry.host]: { auth } } })).toString('base64') },
    });
    const image = `${registry.host}/private/tool:1`;
    await using stranger = await cluster().start({ containers: [{ name: 'main', image }] });
    await stranger.until('refused', () => stranger.container().state.waiting?.reason === 'ImagePullBackOff');
    expect(stranger.now?.status?.phase).toBe('Pending');
    await stranger.remove();
    await using member = await cluster().run({ containers: [{ name: 'main', image }], imagePullSecrets: [{ name: secret }] });
    await member.succeeded();
    expect(member.output()).toBe('pulled');
  });

  it('[conf-2.10] images that cannot be had keep only their own container from running', async () => {
    await using pod = await cluster().start({
      containers: [
        { name: 'nowhere', image: '127.0.0.1:9/no/such:1' },
        { name: 'never', image: 'localhost/edge/absent:1', imagePullPolicy: 'Never' },
        { name: 'wrong', image: 'Not A Name' },
        idle(),
      ],
    });
    const reason = (name: string): string => pod.container(name).state.waiting?.reason ?? '';
    await pod.until('told', () => /ErrImagePull|ImagePullBackOff/.test(reason('nowhere')) && reason('never') === 'ErrImageNeverPull' && reason('wrong') === 'InvalidImageName');
    await pod.until('running beside', () => pod.container().state.running !== undefined);
    expect(pod.now?.status?.phase).toBe('Pending');
  });
}
