import { createMessage, createResponse, defineKind, type Message } from '@edge/protocol';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { createCell } from '../cell.js';
import { Core } from '../core.js';
import { EdgeError } from '../errors.js';
import { defineModule, route, type Life, type ModuleDefinition, type RestartPolicy, type Runnable } from '../module.js';
import { silentLogger } from '../ports/logger.js';
import { untilAborted } from '../time.js';
import { provide, token } from '../token.js';
import type { SwapStep } from './swap.js';

const quick: RestartPolicy = { when: 'on-failure', firstMs: 5, factor: 1, limitMs: 5, jitter: 0 };
const PROMPT = { settleMs: 20, readyTimeoutMs: 5_000 };
const long = AbortSignal.timeout(600_000);

interface Version {
  readonly version: string;
  readonly run?: (life: Life) => Promise<void>;
  readonly handle?: (message: Message) => void | Message | Promise<void | Message>;
  readonly name?: string;
  readonly more?: Partial<ModuleDefinition>;
}

const serve = async (life: Life): Promise<void> => {
  life.ready();
  await untilAborted(life.signal);
};

/** A version of a module; all of one name have the same tokens, as those of one package. */
function made({ version, run = serve, handle = () => undefined, name = 'clock', more = {} }: Version): ModuleDefinition {
  const entry = token<Runnable>('test', name);
  class Instance implements Runnable {
    run(life: Life): Promise<void> {
      return run(life);
    }
  }
  const definition = defineModule<Runnable, object>({
    name,
    packageName: `@edge/${name}`,
    wire: { module: name, group: 'clocks' },
    version,
    requires: {},
    config: { path: `modules.${name}`, token: token<object>('test', `${name}.config`), parse: (raw) => (raw ?? {}) as object },
    routes: [route(defineKind('any', { operation: ['insert', 'query'] }), (message) => message.route.resource.split('/')[0] ?? '', (_module, _body, message) => handle(message))],
    restart: quick,
    entry,
    bindings: (bind) => provide(bind, entry, Instance, {}),
  });
  return { ...definition, ...more } as ModuleDefinition;
}

const message = (resource: string, operation = 'insert'): Message => createMessage({ source: 'test', group: 'resource', operation, resource });

/** Agents of the test in hand. */
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Running {
  readonly core: Core;
  send(resource: string): Promise<void>;
  until(phase: string, name?: string): Promise<unknown>;
  stop(): Promise<void>;
}

async function running(modules: readonly ModuleDefinition[], awaited = 'ready', config: Record<string, unknown> = {}): Promise<Running> {
  const core = new Core({
    config,
    log: silentLogger,
    gates: { enabled: () => false, explicit: () => undefined },
    deadLetters: { add: (_module, lost, error) => expect.unreachable(`${lost.route.resource} was set aside: ${String(error)}`) },
    contract: { '@edge/core': '0.1.0' },
    stopTimeoutMs: 5_000,
  });
  for (const module of modules) core.register(module);
  const end = new AbortController();
  const life = core.run(end.signal);
  const stop = async (): Promise<void> => {
    end.abort();
    await life;
  };
  stops.push(stop);
  const until = (phase: string, name = 'clock'): Promise<unknown> => core.health.until((health) => health[name]?.phase === phase, long);
  if (awaited !== '') await until(awaited);
  return { core, stop, until, send: (resource) => core.bus.send({ module: 'clock' }, message(resource)) };
}

describe('a swap', { timeout: 60_000 }, () => {
  it('[core-7.1] gives the role to the new version: all messages are handled once and in order, requests are answered, others run on', async () => {
    const handled: string[] = [];
    const by = (version: string) => async (given: Message): Promise<Message | void> => {
      if (given.route.operation === 'query') return createResponse(given, version);
      await new Promise((resolve) => setImmediate(resolve));
      handled.push(given.route.resource);
    };
    const { core, send } = await running([made({ version: '1.0.0', handle: by('1.0.0') }), made({ version: '1.0.0', name: 'other' })]);
    const steps: SwapStep[] = [];
    let number = 0;
    let over = false;
    const load = (async () => {
      // On a busy machine a swap is over before there was much to lose.
      while (!over || number <= 10) {
        await Promise.all([send(`a/${number}`), send(`b/${number}`)]);
        number += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const outcome = await core.swap('clock', made({ version: '1.1.0', handle: by('1.1.0') }), {
      ...PROMPT,
      onStep: (step) => {
        steps.push(step);
        // Asked while nobody has the role.
        if (step === 'starting') void core.bus.request({ module: 'clock' }, message('time', 'query')).then((answer) => handled.push(`answer of ${String(answer.content)}`));
      },
    });
    over = true;
    await load;
    expect((await core.bus.request({ module: 'clock' }, message('a', 'query'))).content).toBe('1.1.0');
    expect((await core.bus.request({ module: 'clock' }, message('b', 'query'))).content).toBe('1.1.0');
    expect(outcome).toMatchObject({ result: 'swapped', serving: true, leftBehind: [] });
    expect(steps).toEqual(['stopping', 'starting', 'watching']);
    for (const lane of ['a', 'b']) expect(handled.filter((one) => one.startsWith(`${lane}/`))).toEqual(Array.from({ length: number }, (_, i) => `${lane}/${i}`));
    expect(handled).toContain('answer of 1.1.0');
    expect(core.modules.map(({ version }) => version)).toEqual(['1.1.0', '1.0.0']);
    expect(core.health.value).toMatchObject({ clock: { phase: 'ready', restarts: 0 }, other: { phase: 'ready', restarts: 0 } });
  });

  it('[core-7.2] is taken back when the new version is not ready in time, cannot be made, or ends: before it was ready or soon after', async () => {
    const { core } = await running([made({ version: '1.0.0', handle: (given) => createResponse(given, '1.0.0') })]);
    const never = (life: Life): Promise<void> => untilAborted(life.signal);
    const boom = new EdgeError('test.boom', 'boom');
    const bad: readonly [Version['run'], RegExp, Partial<ModuleDefinition>?][] = [
      [never, /clock was not ready within 30 ms/],
      [() => Promise.reject(boom), /^boom$/],
      [() => Promise.resolve(), /it ended without having been ready/],
      [() => undefined as never, /it ended without having been ready/],
      [async (life) => (life.ready(), await new Promise((resolve) => setImmediate(resolve)), Promise.reject(boom)), /it was ready, and ended again: boom/],
      [async (life) => (life.ready(), await new Promise((resolve) => setImmediate(resolve))), /it was ready, and ended again: it returned/],
      [serve, /No bindings|no bindings/i, { bindings: () => undefined }],
    ];
    for (const [run, reason, more] of bad) {
      const outcome = await core.swap('clock', made({ version: '1.1.0', ...(run ? { run } : {}), ...(more ? { more } : {}) }), { settleMs: 60_000, readyTimeoutMs: 30 });
      expect(outcome).toMatchObject({ result: 'returned', reason: expect.stringMatching(reason) as string, serving: true, leftBehind: [] });
      expect((await core.bus.request({ module: 'clock' }, message('a', 'query'))).content).toBe('1.0.0');
      expect(core.modules[0]?.version).toBe('1.0.0');
    }
  });

  it('[core-7.3] leaves one that crashes later to the usual restarts', async () => {
    const crash = createCell(0);
    const shaky = async (life: Life): Promise<void> => {
      life.ready();
      const before = crash.value;
      await crash.until((value) => value > before, life.signal);
      throw new Error('late');
    };
    const { core } = await running([made({ version: '1.0.0' })]);
    expect(await core.swap('clock', made({ version: '1.1.0', run: shaky }), { settleMs: 1 })).toMatchObject({ result: 'swapped' });
    crash.set(1);
    await core.health.until((health) => health['clock']?.phase === 'ready' && health['clock'].restarts === 1, long);
    expect(core.modules[0]?.version).toBe('1.1.0');
  });

  it('[core-7.4] is refused before anything is touched when the new version does not fit, and says why', async () => {
    const { core } = await running([made({ version: '1.0.0' }), made({ version: '1.0.0', name: 'other', more: { after: ['clock'] } })], 'ready', { modules: { clock: { size: 1 } } });
    const since = core.health.value['clock']?.since;
    const slice = made({ version: '2.0.0' }).config;
    const refused: readonly [ModuleDefinition, string, RegExp][] = [
      [made({ version: '2.0.0', more: { requires: { '@edge/core': '^9.0.0' } } }), 'core.incompatible', /@edge\/clock 2\.0\.0 needs @edge\/core \^9/],
      [made({ version: '2.0.0', more: { wire: { module: 'other', group: 'x' } } }), 'core.incompatible', /both want to be "other"/],
      [made({ version: '2.0.0', name: 'another' }), 'core.no-role', /is a another, it cannot take the role clock/],
      [made({ version: '2.0.0', more: { after: ['other'] } }), 'core.incompatible', /clock → other → clock|other → clock → other/],
      [made({ version: '2.0.0', more: { config: { ...slice, parse: () => expect.fail('size is gone') } } }), 'config.invalid', /modules\.clock is not valid: size is gone/],
      [made({ version: '2.0.0', more: { enabled: () => false } }), 'core.switched', /clock is on, and would be off with @edge\/clock 2\.0\.0/],
      [{} as ModuleDefinition, 'core.incompatible', /is no module/],
    ];
    for (const [definition, code, text] of refused) {
      await expect(core.swap('clock', definition)).rejects.toMatchObject({ code, message: expect.stringMatching(text) as string });
    }
    await expect(core.swap('sundial', made({ version: '1.0.0', name: 'sundial' }))).rejects.toMatchObject({ code: 'core.no-role', message: 'this agent has no module sundial; it has clock, other' });
    await expect(core.swap('clock', made({ version: '2.0.0' }), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'core.aborted' });
    expect(core.health.value['clock']?.since).toBe(since);
  });

  it('[core-7.5] is one at a time, and given up when the caller wants it: the old version comes back', async () => {
    const { core } = await running([made({ version: '1.0.0' }), made({ version: '1.0.0', name: 'other' })]);
    const interrupt = new AbortController();
    const first = core.swap('clock', made({ version: '1.1.0', run: (life) => untilAborted(life.signal) }), { signal: interrupt.signal });
    await expect(core.swap('other', made({ version: '1.1.0', name: 'other' }))).rejects.toMatchObject({ code: 'core.swap-busy', message: expect.stringContaining('clock') as string });
    await core.health.until((health) => health['clock']?.phase === 'starting', long);
    interrupt.abort();
    expect(await first).toMatchObject({ result: 'returned', reason: 'the swap was interrupted', serving: true });
    const early = new AbortController();
    const third = core.swap('clock', made({ version: '1.1.0', run: () => expect.unreachable() }), { signal: early.signal, onStep: (step) => step === 'stopping' && early.abort() });
    expect(await third).toMatchObject({ result: 'returned', reason: 'the swap was interrupted', serving: true });
    const watched = new AbortController();
    const second = core.swap('clock', made({ version: '1.1.0' }), { signal: watched.signal, settleMs: 60_000, onStep: (step) => step === 'watching' && watched.abort() });
    expect(await second).toMatchObject({ result: 'returned', reason: 'the swap was interrupted', serving: true });
    expect(await core.swap('other', made({ version: '1.1.0', name: 'other' }), PROMPT)).toMatchObject({ result: 'swapped' });
  });

  it('[core-7.6] helps a module that crashes again and again, and one that is down for good', async () => {
    const broken = (): Promise<void> => Promise.reject(new Error('broken'));
    const handled: string[] = [];
    for (const restart of [{ ...quick, firstMs: 600_000, limitMs: 600_000 }, { ...quick, when: 'never' as const }]) {
      const { core, send, until } = await running([made({ version: '1.0.0', run: broken, more: { restart } })], '');
      await until(restart.when === 'never' ? 'failed' : 'restarting');
      await send('a/1');
      const failed = await core.swap('clock', made({ version: '1.1.0', run: broken }), PROMPT);
      expect(failed).toMatchObject({ result: 'returned', reason: 'broken', serving: false });
      await until(restart.when === 'never' ? 'failed' : 'restarting');
      const heard = createCell(0);
      const good = made({ version: '1.2.0', handle: (given) => (handled.push(given.route.resource), heard.set(heard.value + 1)) });
      expect(await core.swap('clock', good, PROMPT)).toMatchObject({ result: 'swapped' });
      await heard.until((count) => count === 1, long);
    }
    expect(handled).toEqual(['a/1', 'a/1']);
  });

  it('[core-7.7] is given up when the agent stops, at each step, and nothing is started any more', async () => {
    for (const at of ['stopping', 'starting', 'watching', 'returning'] as const) {
      let running_ = 0;
      const counted = async (life: Life): Promise<void> => {
        running_ += 1;
        await serve(life);
        running_ -= 1;
      };
      const { core, stop } = await running([made({ version: '1.0.0', run: counted })]);
      const next = made({ version: '1.1.0', run: at === 'returning' ? () => Promise.reject(new Error('bad')) : counted });
      let stopped: Promise<void> | undefined;
      await expect(core.swap('clock', next, { settleMs: 60_000, onStep: (step) => step === at && (stopped = stop()) })).rejects.toMatchObject({ code: 'core.stopping' });
      await stopped;
      expect(running_).toBe(0);
      await expect(core.swap('clock', next)).rejects.toMatchObject({ code: 'core.not-running' });
    }
  });

  it('[core-7.8] moves the place on the bus when the new version has other names there, and back', async () => {
    const { core } = await running([made({ version: '1.0.0' })]);
    const renamed = { wire: { module: 'clock2', group: 'watches' } };
    const names = (): boolean[] => ['clock', 'clock2'].map((module) => core.bus.reaches({ module })).concat(['clocks', 'watches'].map((group) => core.bus.reaches({ group })));
    expect(await core.swap('clock', made({ version: '2.0.0', more: renamed, run: () => Promise.reject(new Error('no')) }), PROMPT)).toMatchObject({ result: 'returned' });
    expect(names()).toEqual([true, false, true, false]);
    expect(await core.swap('clock', made({ version: '2.0.0', more: renamed }), PROMPT)).toMatchObject({ result: 'swapped' });
    expect(names()).toEqual([false, true, false, true]);
  });

  it('[core-7.9] leaves an old version behind that does not return: it hears nothing any more and does not get in the way of the new one', async () => {
    for (const wasReady of [true, false]) {
      const late = createCell(false);
      const began = createCell<Life | undefined>(undefined);
      const stuck = async (life: Life): Promise<void> => {
        if (wasReady) life.ready();
        began.set(life);
        await late.until(Boolean, long);
      };
      const { core } = await running([made({ version: '1.0.0', run: stuck, handle: () => expect.unreachable() })], '');
      const life = await began.until((given) => given !== undefined, long);
      const good = made({ version: '1.1.0', handle: (given) => createResponse(given, '1.1.0') });
      expect(await core.swap('clock', good, { ...PROMPT, stopTimeoutMs: 30 })).toMatchObject({ result: 'swapped', leftBehind: ['1.0.0'] });
      const ask = async (): Promise<unknown> => (await core.bus.request({ module: 'clock' }, message('a', 'query'))).content;
      life?.ready();
      expect(await ask()).toBe('1.1.0');
      late.set(true);
      await new Promise((resolve) => setImmediate(resolve));
      expect(await ask()).toBe('1.1.0');
      expect(core.health.value['clock']?.phase).toBe('ready');
    }
  });

  it('[core-7.10] finishes the messages in hand before the old version is told to stop, and waits for as long as that asks for', async () => {
    const story: string[] = [];
    const go = createCell(false);
    const begun = createCell(false);
    const old = made({
      version: '1.0.0',
      run: async (life) => {
        await serve(life);
        story.push('told to stop');
        // Longer than what every module gets.
        await new Promise((resolve) => setTimeout(resolve, 60));
        story.push('stopped');
      },
      handle: async (given) => {
        begun.set(true);
        await go.until(Boolean, long);
        story.push(`1.0.0 has handled ${given.route.resource}`);
      },
      more: { extraStopMs: () => 10_000 },
    });
    const { core, send } = await running([old]);
    await send('a/1');
    await send('a/2');
    await begun.until(Boolean, long);
    const heard = createCell(false);
    const next = made({ version: '1.1.0', handle: (given) => (story.push(`1.1.0 has handled ${given.route.resource}`), heard.set(true)) });
    // The message in hand is let go a while after the swap has begun.
    const outcome = await core.swap('clock', next, { ...PROMPT, stopTimeoutMs: 5_000, onStep: (step) => step === 'stopping' && setImmediate(() => go.set(true)) });
    await heard.until(Boolean, long);
    expect(outcome).toMatchObject({ result: 'swapped', leftBehind: [] });
    expect(story).toEqual(['1.0.0 has handled a/1', 'told to stop', 'stopped', '1.1.0 has handled a/2']);
  });

  it('[core-7.11] notes the version of a role that the configuration has switched off', async () => {
    const off = { enabled: () => false };
    const { core } = await running([made({ version: '1.0.0' }), made({ version: '1.0.0', name: 'other', more: off })]);
    expect(await core.swap('other', made({ version: '1.1.0', name: 'other', more: off }))).toMatchObject({ result: 'noted', serving: false });
    expect(core.modules[1]?.version).toBe('1.1.0');
    await expect(core.swap('other', made({ version: '1.2.0', name: 'other' }))).rejects.toMatchObject({ code: 'core.switched' });
  });

  it('[core-7.13] a new version that cannot tell the lane of a message loses none of those that waited, and fails no sender', async () => {
    const handled: string[] = [];
    const heard = createCell(0);
    const [row] = made({ version: '1.1.0', handle: (given) => (handled.push(given.route.resource), heard.set(handled.length)) }).routes;
    const lane = (given: Message): string => (given.route.resource === 'b/2' ? expect.fail('no lane') : 'all');
    const { core, send } = await running([made({ version: '1.0.0' })]);
    const sends: Promise<void>[] = [];
    const onStep = (step: SwapStep): void => void (step === 'starting' && sends.push(...['a/1', 'b/2', 'c/3'].map(send)));
    expect(await core.swap('clock', made({ version: '1.1.0', more: { routes: row ? [{ ...row, lane }] : [] } }), { ...PROMPT, onStep })).toMatchObject({ result: 'swapped' });
    await Promise.all([...sends, send('b/2')]);
    await heard.until((count) => count === 4, long);
    expect(handled.toSorted()).toEqual(['a/1', 'b/2', 'b/2', 'c/3']);
  });

  it('[core-7.12] loses no message, doubles none and keeps the order of each lane, whatever comes when', async () => {
    const kinds = ['good', 'never', 'throws', 'crashes'] as const;
    const act = fc.oneof(
      { weight: 6, arbitrary: fc.record({ send: fc.integer({ min: 1, max: 30 }), lane: fc.constantFrom('a', 'b', 'c') }) },
      { weight: 1, arbitrary: fc.constant('pause' as const) },
      { weight: 2, arbitrary: fc.constantFrom(...kinds) },
    );
    const runs = process.env['EDGE_TESTS'] === 'full' ? 500 : 25;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 20 }), fc.boolean(), async (acts, slow) => {
        const sent: string[] = [];
        const handled: string[] = [];
        const done = createCell(0);
        const handle = async (given: Message): Promise<void> => {
          if (slow) await new Promise((resolve) => setImmediate(resolve));
          handled.push(given.route.resource);
          done.set(handled.length);
        };
        const version = (kind: (typeof kinds)[number], number: number): ModuleDefinition => {
          const run = { good: serve, never: (life: Life) => untilAborted(life.signal), throws: () => Promise.reject(new Error('x')), crashes: async (life: Life) => (life.ready(), Promise.reject(new Error('y'))) }[kind];
          return made({ version: `1.${number}.0`, run, handle });
        };
        const { core, send, stop } = await running([made({ version: '1.0.0', handle })]);
        let swapping: Promise<unknown> = Promise.resolve();
        for (const [index, one] of acts.entries()) {
          if (one === 'pause') await swapping;
          else if (typeof one === 'object') {
            for (let i = 0; i < one.send; i += 1) {
              sent.push(`${one.lane}/${sent.length}`);
              await send(sent.at(-1) ?? '');
            }
          } else {
            swapping = Promise.all([swapping, core.swap('clock', version(one, index), { settleMs: 2, readyTimeoutMs: 3 }).catch((error: unknown) => expect(error).toMatchObject({ code: 'core.swap-busy' }))]);
          }
        }
        await swapping;
        await done.until((count) => count >= sent.length, long);
        for (const lane of ['a', 'b', 'c']) {
          const of = (all: readonly string[]): string[] => all.filter((resource) => resource.startsWith(lane));
          expect(of(handled)).toEqual(of(sent));
        }
        expect(handled).toHaveLength(sent.length);
        await stop();
      }),
      { numRuns: runs },
    );
  });
});
