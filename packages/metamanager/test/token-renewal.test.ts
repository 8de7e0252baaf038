import { createMemoryStore } from '@edge/testing';
import type { Message } from '@edge/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { planRenewals, stateOf } from '../src/decide/token-renewals.js';
import { tokenQuestion, type StoredToken } from '../src/tokens/stored-token.js';
import type { TokenRequest } from '../src/values/token-key.js';
import { cloudAnswer, NOT_FOUND, object, openScene, push, type Scene } from './scene.js';
import { storedTokenKeys, tokenQuery, type SpecParts } from './token-scene.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const RESOURCE = 'default/serviceaccounttoken/default';

describe('which tokens are renewed', () => {
  const at = Date.parse('2026-01-01T00:00:00Z');
  const stored = (uid: string, lifeS: number, over: Partial<StoredToken> = {}): StoredToken => {
    const asked = tokenQuery({ uid, expirationSeconds: lifeS });
    return { ...tokenQuestion('default', 'default', asked), answer: { ...asked, status: { token: uid, expirationTimestamp: new Date(at + lifeS * SECOND).toISOString() } }, isMounted: true, ...over };
  };
  const uids = (tokens: readonly StoredToken[]): unknown[] => tokens.map(({ answer }) => answer.status?.token);

  it('[metamanager-13.1] between 72 and 80 % of their life, each at its own time, at the latest after a day', () => {
    const many = Array.from({ length: 200 }, (_, index) => stored(`u${index}`, 600));
    const pods = new Set(many.map(({ asked }) => asked.spec?.boundObjectRef?.uid ?? ''));
    const due = (share: number): number => planRenewals(many, pods, at + share * 600 * SECOND).due.length;
    expect([due(0.719), due(0.801)]).toEqual([0, 200]);
    expect(due(0.74)).toBeGreaterThan(20);
    expect(due(0.74)).toBeLessThan(100);
    expect(planRenewals(many, pods, at).nextAt).toBeGreaterThanOrEqual(at + 0.72 * 600 * SECOND);
    expect(planRenewals(many, pods, at).nextAt).toBeLessThan(at + 0.73 * 600 * SECOND);
    const [long] = [stored('u', 365 * 24 * 3600)];
    expect(uids(planRenewals([long as StoredToken], new Set(['u']), at + 24 * HOUR + 1).due)).toEqual(['u']);
    // Whoever asks sees it the same way.
    for (const token of many) expect(stateOf(token, at + 0.76 * 600 * SECOND) === 'stale').toBe(planRenewals([token], pods, at + 0.76 * 600 * SECOND).due.length === 1);
  });

  it('[metamanager-13.2] while their pod is there; others end, and an expired one of a pod stays', () => {
    const tokens = [stored('here', 600), stored('gone', 600), stored('api', 600, { isMounted: false })];
    const plan = (afterS: number): unknown => {
      const { due, over } = planRenewals(tokens, new Set(['here', 'api']), at + afterS * SECOND);
      return [uids(due), over.map((key) => /UID:"(\w+)"/.exec(key)?.[1])];
    };
    expect(plan(10)).toEqual([[], []]);
    expect(plan(599)).toEqual([['here'], []]);
    expect(plan(601)).toEqual([['here'], ['api']]);
    expect(plan(600 + 25 * 3600)).toEqual([['here'], ['gone', 'api']]);
  });

  it('[metamanager-13.3] those that end first in front, and exposed ones at once', () => {
    const tokens = [stored('late', 3600), stored('soon', 600), stored('sooner', 500), stored('bare', 7200, { isExposed: true })];
    expect(uids(planRenewals(tokens, new Set(['late', 'soon', 'sooner', 'bare']), at + 3500 * SECOND).due)).toEqual(['sooner', 'soon', 'late', 'bare']);
    expect(uids(planRenewals(tokens, new Set(['bare']), at).due)).toEqual(['bare']);
  });
});

describe('renewal', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: Date.parse('2026-01-01T00:00:00Z') });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Lets the clock run in steps, with time for what happens in between. */
  async function pass(milliseconds: number, stepMs: number = 5 * SECOND): Promise<void> {
    for (let left = milliseconds; left > 0; left -= stepMs) {
      await vi.advanceTimersByTimeAsync(Math.min(stepMs, left));
      await turns(6);
    }
  }
  const turns = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  /** A token as the cloud issues it, named after its pod and counted. */
  let issued = 0;
  const issue = ({ content }: Message): TokenRequest => {
    const { spec } = content as TokenRequest;
    issued += 1;
    return { spec: spec ?? {}, metadata: {}, status: { token: `${spec?.boundObjectRef?.uid}-${issued}`, expirationTimestamp: new Date(Date.now() + (spec?.expirationSeconds ?? 0) * SECOND).toISOString() } } as TokenRequest;
  };
  /** Timers of the wait for the answer must not need the clock: the bus answers in turns of the event loop. */
  const ask = async (scene: Scene, parts: SpecParts = {}, resource = RESOURCE): Promise<TokenRequest | undefined> => {
    const pending = scene.ask({ operation: 'query', resource, content: tokenQuery(parts) });
    const { content, route } = await pending;
    if (route.operation === 'error') return undefined;
    return (Array.isArray(content) ? JSON.parse(content[0] as string) : content) as TokenRequest;
  };
  const addPod = (scene: Scene, uid: string): Promise<void> => scene.fromCloud(push('insert', `default/pod/${uid}`, object('Pod', uid, 1, { metadata: { uid } })));
  const questions = (scene: Scene): number => scene.hub.received.filter(({ route }) => route.operation === 'query').length;

  it('[metamanager-13.4] comes before they go stale, also when nobody asks, and the asker finds the new one at once', async () => {
    await using scene = await openScene({ connected: true, cloud: (message) => (message.route.operation === 'query' ? issue(message) : undefined) });
    await addPod(scene, 'u1');
    const first = await ask(scene);
    await pass(410 * SECOND);
    expect(questions(scene)).toBe(1);
    await pass(130 * SECOND);
    expect(questions(scene)).toBe(2);
    const second = await ask(scene);
    expect(questions(scene)).toBe(2);
    expect(second?.status?.token).not.toBe(first?.status?.token);
    await pass(3600 * SECOND, 20 * SECOND);
    expect(questions(scene)).toBeGreaterThanOrEqual(8);
    expect(questions(scene)).toBeLessThanOrEqual(11);
    await scene.fromCloud(push('delete', 'default/pod/u1', { metadata: { name: 'u1', namespace: 'default', uid: 'u1' } }));
    await turns(20);
    const before = questions(scene);
    await pass(1200 * SECOND, 20 * SECOND);
    expect(questions(scene)).toBe(before);
    expect(storedTokenKeys(scene.store)).toEqual([]);
  }, 60_000);

  it('[metamanager-13.5] after a long time without the cloud is no storm: four at a time, and expired ones serve until then', async () => {
    let out = 0;
    let most = 0;
    let slow = false;
    await using scene = await openScene({
      connected: true,
      cloud: async (message) => {
        if (message.route.operation !== 'query') return undefined;
        most = Math.max(most, (out += 1));
        if (slow) await turns(3);
        out -= 1;
        return cloudAnswer(message, issue(message));
      },
    });
    const uids = Array.from({ length: 60 }, (_, index) => `u${index}`);
    for (const uid of uids) {
      await addPod(scene, uid);
      await ask(scene, { uid });
    }
    scene.disconnect();
    vi.setSystemTime(Date.now() + 7 * 24 * HOUR);
    // Expired, and still there for pods that start.
    expect((await ask(scene, { uid: 'u7' }))?.status?.token).toMatch(/^u7-/);
    const before = questions(scene);
    most = 0;
    slow = true;
    scene.connect();
    await turns(600);
    expect(questions(scene) - before).toBe(60);
    expect(most).toBe(4);
    scene.disconnect();
    for (const uid of uids) expect(Date.parse((await ask(scene, { uid }))?.status?.expirationTimestamp ?? '')).toBeGreaterThan(Date.now());
  }, 60_000);

  it('[metamanager-13.6] that is refused leaves the old one, and is tried again at growing intervals and in the next session', async () => {
    let refuse = false;
    await using scene = await openScene({ connected: true, cloud: (message) => (message.route.operation !== 'query' ? undefined : refuse ? NOT_FOUND : issue(message)) });
    await addPod(scene, 'u1');
    const first = await ask(scene, { expirationSeconds: 7200 });
    refuse = true;
    await pass(1.5 * HOUR, 30 * SECOND);
    const before = questions(scene);
    await pass(0.3 * HOUR, 10 * SECOND);
    expect(questions(scene) - before).toBeGreaterThanOrEqual(2);
    expect(questions(scene) - before).toBeLessThanOrEqual(9);
    scene.disconnect();
    expect(await ask(scene, { expirationSeconds: 7200 })).toMatchObject({ status: { token: first?.status?.token } });
    refuse = false;
    scene.connect();
    await turns(30);
    expect((await ask(scene, { expirationSeconds: 7200 }))?.status?.token).not.toBe(first?.status?.token);
  }, 60_000);

  it('[metamanager-13.7] with a clock that is wrong asks no more than with growing intervals', async () => {
    await using scene = await openScene({
      connected: true,
      // The cloud lives a year before us: what it issues has ended already.
      cloud: (message) => (message.route.operation === 'query' ? { ...issue(message), status: { token: 't', expirationTimestamp: '2025-01-01T00:10:00Z' } } : undefined),
    });
    await addPod(scene, 'u1');
    expect((await ask(scene))?.status?.token).toBe('t');
    await pass(2 * HOUR, 10 * SECOND);
    expect(questions(scene)).toBeLessThanOrEqual(25);
  }, 60_000);

  it('[metamanager-13.8] and questions, outages, restarts at random: nobody gets another\'s, a valid one is never lost, one question at a time per token', async () => {
    for (const seed of [1, 2, 3]) {
      const random = generator(seed);
      const store = createMemoryStore();
      const out = new Map<string, number>();
      const keyOf = ({ route, content }: Message): string => `${route.resource} ${JSON.stringify((content as TokenRequest).spec)}`;
      const said: string[] = [];
      const cloud = async (message: Message): Promise<unknown> => {
        if (message.route.operation !== 'query') return undefined;
        const key = keyOf(message);
        out.set(key, (out.get(key) ?? 0) + 1);
        if ((out.get(key) ?? 0) > 1) said.push(`two questions for ${key}`);
        await turns(Math.floor(random() * 4));
        out.set(key, (out.get(key) ?? 1) - 1);
        if (random() < 0.2) return cloudAnswer(message, random() < 0.5 ? NOT_FOUND : { ErrStatus: { status: 'Failure', message: 'busy', code: 500 } });
        const account = message.route.resource.split('/')[2];
        const answer = issue(message);
        return cloudAnswer(message, { ...answer, status: { ...answer.status, token: `${account}/${answer.status?.token}` } });
      };
      const keyFolder = await openScene({ store });
      let scene = await openScene({ store, cloud, connected: true, tokenKeyFile: keyFolder.tokenKeyFile });
      for (const uid of ['u1', 'u2', 'u3']) await addPod(scene, uid);
      await turns(10);
      /** End of the newest token that was obtained, by question. */
      const ends = new Map<string, number>();
      for (let step = 0; step < 120; step += 1) {
        const what = random();
        const parts = { uid: `u${1 + Math.floor(random() * 3)}`, audiences: random() < 0.5 ? ['edge'] : null, expirationSeconds: random() < 0.5 ? 600 : 3600 };
        const account = random() < 0.5 ? 'one' : 'two';
        if (what < 0.6) {
          const id = `${account} ${JSON.stringify(parts)}`;
          const got = await ask(scene, parts, `default/serviceaccounttoken/${account}`);
          const token = got?.status?.token;
          if (token) {
            expect(token).toMatch(new RegExp(`^${account}/${parts.uid}-`));
            expect(got.spec).toEqual(tokenQuery(parts).spec);
            ends.set(id, Math.max(ends.get(id) ?? 0, Date.parse(got.status?.expirationTimestamp ?? '')));
          }
          // Whoever had a valid one gets a valid one.
          if ((ends.get(id) ?? 0) > Date.now()) expect(Date.parse(got?.status?.expirationTimestamp ?? '')).toBeGreaterThan(Date.now());
        } else if (what < 0.75) await pass(random() * 400 * SECOND, 40 * SECOND);
        else if (what < 0.85) scene.disconnect();
        else if (what < 0.95) scene.connect();
        else {
          await scene[Symbol.asyncDispose]();
          out.clear();
          scene = await openScene({ store, cloud, connected: random() < 0.5, tokenKeyFile: keyFolder.tokenKeyFile });
        }
        await turns(2);
      }
      expect(ends.size).toBeGreaterThan(8);
      expect(said).toEqual([]);
      await scene[Symbol.asyncDispose]();
      await keyFolder[Symbol.asyncDispose]();
    }
  }, 120_000);
});

/** Numbers from 0 to 1 that are the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
