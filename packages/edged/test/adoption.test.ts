import { afterEach, describe, expect, it } from 'vitest';
import { openScene, pod, type Scene } from './scene.js';

let scene: Scene;
afterEach(async () => {
  await scene?.[Symbol.asyncDispose]();
});

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

describe('a lost store', () => {
  /** Two pods run; then the store is lost and the cloud forgets one of them. */
  async function loseStore(mute: boolean): Promise<string[]> {
    scene = await openScene();
    const { cloud, runtime } = scene;
    for (const name of ['kept', 'gone']) await cloud.push(pod(name), 'insert');
    await cloud.until('all Running', () => [...cloud.pods.values()].every(({ status }) => status?.phase === 'Running'));
    const before = (await runtime.listContainers()).map(({ id }) => id).sort();
    await scene.restart(() => {
      cloud.stored.clear();
      cloud.pods.delete('default/gone');
      cloud.mute = mute;
    });
    return before;
  }
  const running = async (): Promise<string[]> => (await scene.runtime.listContainers({ state: 'running' })).map(({ id }) => id).sort();
  const questions = (name: string): unknown[] => scene.cloud.sent('patch', `default/podpatch/${name}`).filter(({ content }) => content === `{"metadata":{"uid":"uid-${name}"}}`);

  it('[edged-60.1] the cloud is asked about each pod in the runtime: what it has runs on untouched, what it does not have ends', async () => {
    await loseStore(false);
    const { cloud, runtime } = scene;
    const starts = runtime.calls.get('startContainer');
    await expect.poll(async () => (await runtime.listPodSandboxes()).map(({ metadata }) => metadata.name)).toEqual(['kept']);
    expect([questions('kept').length, questions('gone').length]).toEqual([1, 1]);
    // It is a pod like others again.
    await cloud.startDeletion(cloud.pods.get('default/kept') as never, 1);
    await cloud.until('deleted', () => !cloud.pods.has('default/kept'));
    expect(runtime.calls.get('startContainer')).toBe(starts);
  });

  it('[edged-60.2] nothing is touched until the cloud has answered, also when its pushes come first', async () => {
    const before = await loseStore(true);
    await expect.poll(() => questions('gone').length).toBe(1);
    await pause(300);
    expect(await running()).toEqual(before);
    await scene.cloud.push(scene.cloud.pods.get('default/kept') as never);
    await pause(200);
    expect(await running()).toEqual(before);
    expect(scene.runtime.calls.get('startContainer')).toBe(2);
  });

  it('[edged-60.4] one that has begun to fill again is not taken for whole; one from before the link is', async () => {
    scene = await openScene();
    const { cloud, runtime } = scene;
    for (const name of ['here', 'later']) await cloud.push(pod(name), 'insert');
    await cloud.until('all Running', () => [...cloud.pods.values()].every(({ status }) => status?.phase === 'Running'));
    const before = await running();
    await scene.restart(() => cloud.stored.delete('pod default/later'));
    await expect.poll(() => questions('later').length).toBe(1);
    await pause(200);
    expect(await running()).toEqual(before);
    await scene.restart(() => {
      cloud.stored.delete('pod default/later');
      scene.disconnect();
    });
    await expect.poll(async () => (await runtime.listPodSandboxes()).map(({ metadata }) => metadata.name)).toEqual(['here']);
  });

  it('[edged-60.3] an answer that proves nothing ends nothing', async () => {
    await loseStore(true);
    await expect.poll(() => questions('gone').length).toBe(1);
    const [question] = scene.cloud.sent('patch', 'default/podpatch/gone').slice(-1);
    const refused = { metadata: {}, status: 'Failure', reason: 'NotFound', message: 'the server could not find the requested resource', code: 404 };
    await scene.cloud.answer(question as never, { Object: null, Err: { ErrStatus: refused } });
    await pause(200);
    expect(await running()).toHaveLength(2);
  });
});
