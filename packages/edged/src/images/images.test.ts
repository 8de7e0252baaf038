import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type ImageAuth, type RuntimeImage } from '@edge/core';
import type { Container, Pod, Secret } from '@edge/protocol';
import { createMemoryRuntime } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ObjectReader } from '../apply/object-reader.js';
import { CannotStart } from '../errors.js';
import type { PodEvent } from '../plan/event.js';
import { createImagePulling, type ImagePulling, type PullRules } from './create-images.js';
import type { Images } from './images.js';

const RULES: PullRules = { serial: true, parallel: 0, perSecond: 0, burst: 1 };
const never = new AbortController().signal;
const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** Answers pulls as the test says and records them. */
class Registry {
  readonly pulls: { image: string; auth: ImageAuth | undefined }[] = [];
  readonly present = new Map<string, RuntimeImage>();
  answer: (image: string, auth: ImageAuth | undefined, signal: AbortSignal) => Promise<void> = async () => undefined;
  readonly secrets = new Map<string, Secret>();
  readonly events: PodEvent[] = [];

  images(rules: Partial<PullRules> = {}, rootDirectory = '/nowhere'): Images {
    return this.pulling(rules, rootDirectory).images;
  }

  pulling(rules: Partial<PullRules> = {}, rootDirectory = '/nowhere'): ImagePulling {
    const runtime = Object.assign(createMemoryRuntime({}), {
      imageStatus: async (image: string) => this.present.get(image),
      pullImage: async (image: string, auth: ImageAuth | undefined, signal: AbortSignal) => {
        this.pulls.push({ image, auth });
        await this.answer(image, auth, signal);
        this.present.set(image, { id: `id of ${image}`, tags: [image], digests: [], sizeBytes: 7 });
        return image;
      },
    });
    const objects = {
      fetch: async (_namespace: string, [reference]: { name: string }[]) => {
        const secret = this.secrets.get(reference?.name ?? '');
        return new Map(secret ? [[`secret/${reference?.name}`, secret]] : []);
      },
    } as unknown as ObjectReader;
    return createImagePulling({ runtime, objects, rootDirectory, rules: { ...RULES, ...rules }, log: silentLogger });
  }

  say = (event: PodEvent): void => void this.events.push(event);
}

function podWith(container: Partial<Container>, parts: Partial<Pod> & { secrets?: string[]; uid?: string } = {}): [Pod, Container] {
  const whole = { name: 'c', image: 'registry.example/app:1', ...container };
  const { secrets = [], uid = 'u', ...rest } = parts;
  return [{ metadata: { name: 'p', namespace: 'default', uid }, spec: { containers: [whole], imagePullSecrets: secrets.map((name) => ({ name })) }, ...rest }, whole];
}

async function failure(work: Promise<unknown>): Promise<CannotStart> {
  const error: unknown = await work.then(() => undefined, (thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(CannotStart);
  return error as CannotStart;
}

let registry: Registry;
beforeEach(() => {
  registry = new Registry();
});
afterEach(() => void vi.useRealTimers());

describe('images that jobs order', () => {
  const order = (content: object): Promise<object> => registry.pulling().ordered.pull(content, never);

  it('[edged-41.1] one that is here is not asked for again; one that is not is pulled by its whole name', async () => {
    expect(await order({ image: 'busybox' })).toEqual({ image: 'busybox:latest' });
    expect(await order({ image: 'busybox' })).toEqual({ image: 'id of busybox:latest' });
    expect(registry.pulls).toEqual([{ image: 'busybox:latest', auth: undefined }]);
  });

  it.each([
    ['docker\'s configuration', { '.dockerconfigjson': encoded(JSON.stringify({ auths: { 'registry.example': { auth: encoded('me:pw') } } })) }],
    ['docker\'s old one', { '.dockercfg': encoded(JSON.stringify({ 'registry.example': { username: 'me', password: 'pw' } })) }],
    ['credentials alone', { '.dockerconfigjson': encoded(JSON.stringify({ username: 'me', password: 'pw' })) }],
  ])('[edged-41.2] a pull secret may hold %s', async (_name, data) => {
    registry.secrets.set('reg', { metadata: { name: 'reg' }, data });
    registry.answer = (_image, auth) => (auth?.username === 'me' && auth.password === 'pw' ? Promise.resolve() : Promise.reject(new Error('401')));
    expect(await order({ image: 'registry.example/app:1', secret: 'default/reg' })).toEqual({ image: 'registry.example/app:1' });
  });

  it('[edged-41.3] says what is wrong with an order, its secret, and what the runtime says', async () => {
    registry.secrets.set('empty', { metadata: { name: 'empty' }, data: {} });
    await expect(order({ image: 7 })).rejects.toThrow('a pull needs the name of an image');
    await expect(order({ image: 'Bad Name' })).rejects.toThrow('is no name of an image');
    await expect(order({ image: 'a:1', secret: 'reg' })).rejects.toThrow('pull secret "reg" must be of the form namespace/name');
    await expect(order({ image: 'a:1', secret: 'default/lost' })).rejects.toThrow('there is no pull secret "default/lost"');
    await expect(order({ image: 'a:1', secret: 'default/empty' })).rejects.toThrow('there are no credentials in pull secret "default/empty"');
    registry.answer = () => Promise.reject(new Error('manifest unknown'));
    await expect(order({ image: 'a:1' })).rejects.toThrow('manifest unknown');
  });
});

describe('images of containers', () => {
  it('[edged-23.7] a present image is used unless the policy says Always; an absent one is pulled unless it says Never', async () => {
    const images = registry.images();
    const provide = (container: Partial<Container>) => images.provide(...podWith(container), registry.say, never);
    expect((await failure(provide({ imagePullPolicy: 'Never' }))).reason).toBe('ErrImageNeverPull');
    expect(registry.pulls).toHaveLength(0);
    expect(await provide({ imagePullPolicy: 'IfNotPresent' })).toMatchObject({ id: 'id of registry.example/app:1' });
    await provide({ imagePullPolicy: 'IfNotPresent' });
    await provide({ imagePullPolicy: 'Never' });
    expect(registry.pulls).toHaveLength(1);
    await provide({ imagePullPolicy: 'Always' });
    expect(registry.pulls).toHaveLength(2);
    expect(registry.events.map(({ reason }) => reason)).toEqual(['Pulling', 'Pulled', 'Pulled', 'Pulled', 'Pulling', 'Pulled']);
  });

  it('[edged-23.8] without tag and digest it is the latest, and without policy that is always asked for', async () => {
    const images = registry.images();
    for (const _ of [1, 2]) await images.provide(...podWith({ image: 'busybox' }), registry.say, never);
    for (const _ of [1, 2]) await images.provide(...podWith({ image: 'busybox:1' }), registry.say, never);
    expect(registry.pulls.map(({ image }) => image)).toEqual(['busybox:latest', 'busybox:latest', 'busybox:1']);
    expect((await failure(images.provide(...podWith({ image: 'Busybox' }), registry.say, never))).reason).toBe('InvalidImageName');
  });

  it('[edged-23.9] failed pulls: ErrImagePull first, then ImagePullBackOff; the pauses double up to five minutes', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    registry.answer = () => Promise.reject(new Error('manifest unknown'));
    const images = registry.images();
    const provide = () => failure(images.provide(...podWith({}), registry.say, never));
    const first = await provide();
    expect([first.reason, first.message, first.retryAt]).toEqual(['ErrImagePull', 'manifest unknown', Date.now() + 2_000]);
    for (const pause of [10, 20, 40, 80, 160, 300, 300]) {
      vi.setSystemTime(Date.now() + 2_000);
      const waiting = await provide();
      expect(waiting.reason).toBe('ImagePullBackOff');
      expect(waiting.message).toBe('Back-off pulling image "registry.example/app:1": ErrImagePull: manifest unknown');
      expect(waiting.retryAt).toBe(Date.now() + pause * 1000 - 2_000);
      vi.setSystemTime(waiting.retryAt ?? 0);
      expect((await provide()).reason).toBe('ImagePullBackOff');
    }
    expect(registry.pulls).toHaveLength(8);
    vi.setSystemTime(0);
    await provide();
    expect(registry.pulls, 'a clock that was set back does not stop pulls for years').toHaveLength(9);
    // Another pod does not inherit the pause, and none goes on after the pod.
    expect((await failure(images.provide(...podWith({}, { uid: 'other' }), registry.say, never))).reason).toBe('ErrImagePull');
    images.forget('u');
    expect((await provide()).reason).toBe('ErrImagePull');
  });

  it.each([
    ['RegistryUnavailable: try later', 'RegistryUnavailable'],
    ['rpc error: SignatureValidationFailed for it', 'SignatureValidationFailed'],
  ])('[edged-23.10] the runtime\'s "%s" is told as such', async (text, reason) => {
    registry.answer = () => Promise.reject(new Error(text));
    expect((await failure(registry.images().provide(...podWith({}), registry.say, never))).reason).toBe(reason);
  });

  it('[edged-23.11] credentials: pull secrets, then the file of the node, none at last; a missing secret only warns, another secret ends the pause', async () => {
    const root = await mkdtemp(join(tmpdir(), 'edge-images-'));
    try {
      const config = (user: string): string => JSON.stringify({ auths: { 'registry.example': { auth: encoded(`${user}:x`) } } });
      await writeFile(join(root, 'config.json'), config('node'));
      const secret = (user: string): Secret => ({ metadata: { name: user }, type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': encoded(config(user)) } });
      registry.secrets.set('one', secret('one'));
      registry.secrets.set('old', { metadata: { name: 'old' }, data: { '.dockercfg': encoded(JSON.stringify({ 'https://registry.example': { username: 'old', password: 'x' } })) } });
      registry.answer = async (_image, auth) => {
        if (auth?.username !== 'right') throw new Error('401 Unauthorized');
      };
      const images = registry.images({}, root);
      const provide = () => images.provide(...podWith({}, { secrets: ['one', 'lost', 'old'] }), registry.say, never);
      await failure(provide());
      expect(registry.pulls.map(({ auth }) => auth?.username)).toEqual(['one', 'old', 'node', undefined]);
      expect(registry.events.find(({ reason }) => reason === 'FailedToRetrieveImagePullSecret')?.message).toContain('(lost)');
      expect((await failure(provide())).reason).toBe('ImagePullBackOff');
      registry.secrets.set('lost', secret('right'));
      await provide();
      expect(registry.pulls.slice(4).map(({ auth }) => auth?.username)).toEqual(['one', 'right']);
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('[edged-23.12] Always without a way to the registry: a pod starts anew with what it ran before, another pod does not', async () => {
    const image = { id: 'sha256:1', tags: [], digests: ['registry.example/app@sha256:2'], sizeBytes: 1 };
    registry.present.set('registry.example/app:1', image);
    registry.answer = () => Promise.reject(new Error('dial tcp: lookup registry.example: no such host'));
    const images = registry.images();
    const status = { containerStatuses: [{ name: 'c', state: {}, lastState: {}, ready: false, restartCount: 1, image: 'x', imageID: 'registry.example/app@sha256:2' }] };
    const [known, container] = podWith({ imagePullPolicy: 'Always' }, { status });
    expect(await images.provide(known, container, registry.say, never)).toBe(image);
    expect(await images.provide(known, container, registry.say, never)).toBe(image);
    expect(registry.pulls, 'the registry is not asked again at once').toHaveLength(1);
    expect((await failure(images.provide(...podWith({ imagePullPolicy: 'Always' }, { uid: 'new' }), registry.say, never))).reason).toBe('ErrImagePull');
    // A refusal is an answer.
    registry.answer = () => Promise.reject(new Error('403 Forbidden'));
    const fresh = registry.images();
    expect((await failure(fresh.provide(known, container, registry.say, never))).reason).toBe('ErrImagePull');
  });

  it('[edged-23.13] who wants the same shares a pull; it ends when nobody waits for it any more, and the queue goes on', async () => {
    const started: string[] = [];
    registry.answer = (image, _auth, signal) => {
      started.push(image);
      if (image !== 'slow:1') return Promise.resolve();
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(Object.assign(new Error('stopped'), { name: 'AbortError' }))));
    };
    const images = registry.images();
    const [one, two] = [new AbortController(), new AbortController()];
    const provide = (image: string, uid: string, signal: AbortSignal) => images.provide(...podWith({ image }, { uid }), registry.say, signal);
    const first = provide('slow:1', 'a', one.signal);
    const second = provide('slow:1', 'b', two.signal);
    // Each one reads the credentials first, which takes its time: the quick one comes when both are in the queue.
    await vi.waitFor(() => expect(registry.events.filter(({ reason }) => reason === 'Pulling')).toHaveLength(2), { timeout: 20_000 });
    const queued = provide('quick:1', 'c', never);
    await vi.waitFor(() => expect(started).toEqual(['slow:1']), { timeout: 20_000 });
    one.abort();
    await expect(first).rejects.toMatchObject({ code: 'core.aborted' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(started, 'the other one still waits for the slow image').toEqual(['slow:1']);
    two.abort();
    await expect(second).rejects.toMatchObject({ code: 'core.aborted' });
    await queued;
    expect(started).toEqual(['slow:1', 'quick:1']);
  });

  it('[edged-23.14] so many pulls at once, and so many per second, as configured', async () => {
    let now = 0;
    let most = 0;
    registry.answer = async () => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now -= 1;
    };
    const all = (images: Images) => Promise.all(Array.from({ length: 8 }, (_, index) => images.provide(...podWith({ image: `app:${index}` }), registry.say, never)));
    await all(registry.images({ serial: false, parallel: 3 }));
    expect(most).toBe(3);
    registry.present.clear();
    const begun = performance.now();
    await all(registry.images({ serial: false, perSecond: 50, burst: 3 }));
    expect(performance.now() - begun, 'five of eight had to wait 20 ms each').toBeGreaterThan(95);
  });
});
