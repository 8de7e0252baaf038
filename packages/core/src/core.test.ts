import { setMaxListeners } from 'node:events';
import { createMessage, defineKind, type Message } from '@edge/protocol';
import { describe, expect, it } from 'vitest';
import { Core } from './core.js';
import { createCell } from './cell.js';
import { EdgeError } from './errors.js';
import { defineModule, route, type Life, type ModuleDefinition, type RestartPolicy, type Runnable } from './module.js';
import { silentLogger } from './ports/logger.js';
import { untilAborted } from './time.js';
import { provideValue, token } from './token.js';

const gates = { enabled: () => false, explicit: () => undefined };
const quick: RestartPolicy = { when: 'on-failure', firstMs: 5, factor: 2, limitMs: 20, jitter: 0 };

interface Probe {
  name?: string;
  after?: string[];
  run: (life: Life) => Promise<void>;
  handle?: (message: Message) => void | Message | Promise<void | Message>;
  restart?: RestartPolicy;
}

function probe(parts: Probe): ModuleDefinition {
  const name = parts.name ?? 'probe';
  const entry = token<Runnable>('test', name);
  return defineModule<Runnable, object>({
    name,
    packageName: `@edge/${name}`,
    wire: { module: name, group: 'probes' },
    version: '0.1.0',
    requires: {},
    config: { path: `modules.${name}`, token: token<object>('test', `${name}.config`), parse: (raw) => (raw ?? {}) as object },
    after: parts.after ?? [],
    routes: [route(defineKind('any', { operation: ['insert', 'query'] }), 'main', (_module, _body, message) => parts.handle?.(message))],
    restart: parts.restart ?? quick,
    entry,
    bindings: (bind) => provideValue(bind, entry, { run: parts.run }),
  }) as ModuleDefinition;
}

function core(deadLetters: Message[] = [], readyTimeoutMs = 1000): Core {
  return new Core({
    config: {},
    log: silentLogger,
    gates,
    deadLetters: { add: (_module, message) => void deadLetters.push(message) },
    readyTimeoutMs,
    stopTimeoutMs: 500,
  });
}

const serve = (life: Life): Promise<void> => {
  life.ready();
  return untilAborted(life.signal);
};
const message = (operation: string, resource = 'default/pod/p'): Message =>
  createMessage({ source: 'test', group: 'resource', operation, resource });

async function until(core: Core, name: string, phase: string): Promise<void> {
  await core.health.until((health) => health[name]?.phase === phase, AbortSignal.timeout(5000));
}

describe('Core', () => {
  it('[core-1.9] shows all modules that will run from the start, before the first is ready', async () => {
    const stop = new AbortController();
    const one = core().register(probe({ name: 'first', run: (life) => untilAborted(life.signal) })).register(probe({ name: 'second', after: ['first'], run: serve }));
    const ran = one.run(stop.signal);
    expect(Object.keys(one.health.value)).toEqual(['first', 'second']);
    await until(one, 'first', 'starting');
    expect(one.health.value['second']?.phase).toBe('waiting');
    expect(one.link.value.connected).toBe(false);
    expect(one.heldUpLanes(0)).toEqual([]);
    stop.abort();
    await ran;
  });

  it('[core-1.1] starts modules after those they name and stops them in reverse order', async () => {
    const story: string[] = [];
    const life = (name: string) => async (given: Life) => {
      story.push(`start ${name}`);
      await serve(given);
      story.push(`stop ${name}`);
    };
    const agent = core();
    agent.register(probe({ name: 'b', after: ['a'], run: life('b') })).register(probe({ name: 'a', run: life('a') }));
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    await until(agent, 'b', 'ready');
    stop.abort();
    await running;
    expect(story).toEqual(['start a', 'start b', 'stop b', 'stop a']);
  });

  it('[core-1.2] starts a crashed module again while the others run on, and keeps the messages that come meanwhile', async () => {
    const handled: string[] = [];
    let runs = 0;
    const agent = core();
    const crash = createCell(false);
    agent.register(
      probe({
        name: 'shaky',
        handle: (given) => void handled.push(given.route.resource),
        run: async (life) => {
          runs += 1;
          life.ready();
          if (runs > 1) return serve(life);
          await crash.until(Boolean, life.signal);
          throw new EdgeError('test.boom', 'boom');
        },
      }),
    );
    agent.register(probe({ name: 'steady', run: serve }));
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    await until(agent, 'steady', 'ready');
    crash.set(true);
    await until(agent, 'shaky', 'restarting');
    for (let i = 0; i < 10; i += 1) await agent.bus.send({ module: 'shaky' }, message('insert', `default/pod/p${i}`));
    expect(handled).toEqual([]);
    await until(agent, 'shaky', 'ready');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(handled).toEqual(Array.from({ length: 10 }, (_, i) => `default/pod/p${i}`));
    expect(agent.health.value['steady']?.restarts).toBe(0);
    expect(agent.health.value['shaky']).toMatchObject({ restarts: 1, lastError: 'boom' });
    stop.abort();
    await running;
  });

  it('[core-1.3] names a module that does not get ready in time and tries it again', async () => {
    const agent = core([], 30);
    agent.register(probe({ name: 'slow', run: (life) => new Promise((resolve) => life.signal.addEventListener('abort', () => resolve())) }));
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    await until(agent, 'slow', 'restarting');
    expect(agent.health.value['slow']?.lastError).toContain('module slow was not ready within 30 ms');
    stop.abort();
    await running;
  });

  it('[core-1.4] answers a request whose handler throws with an error, and sets a plain message aside', async () => {
    const aside: Message[] = [];
    const agent = core(aside);
    agent.register(
      probe({
        run: serve,
        handle: () => {
          throw new EdgeError('test.bad', 'cannot do that');
        },
      }),
    );
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    await until(agent, 'probe', 'ready');
    const answer = await agent.bus.request({ module: 'probe' }, message('query'));
    expect(answer.route.operation).toBe('error');
    expect(answer.content).toBe('cannot do that');
    const lost = message('insert');
    await agent.bus.send({ module: 'probe' }, lost);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(aside).toEqual([lost]);
    const unknown = await agent.bus.request({ module: 'probe' }, message('delete'));
    expect(unknown.content).toBe('probe does not handle delete default/pod/p');
    stop.abort();
    await running;
  });

  it('[core-1.5] leaves a module behind that does not stop, and says so', async () => {
    const agent = core();
    agent.register(
      probe({
        name: 'stuck',
        run: (life) => {
          life.ready();
          return new Promise(() => undefined);
        },
      }),
    );
    const stop = new AbortController();
    const running = agent.run(stop.signal);
    await until(agent, 'stuck', 'ready');
    stop.abort();
    await expect(running).resolves.toBeUndefined();
  });

  it('[core-1.6] refuses modules that do not fit together before anything starts', async () => {
    let started = false;
    const agent = core();
    const run = async (): Promise<void> => {
      started = true;
    };
    agent.register({ ...probe({ name: 'a', run }), requires: { '@edge/core': '^9.0.0' } });
    agent.register(probe({ name: 'a', run }));
    const failure: unknown = await agent.run(new AbortController().signal).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'core.incompatible' });
    expect(String(failure)).toMatch(/needs @edge\/core \^9\.0\.0, which is not there[\s\S]*both want to be "a"/);
    expect(started).toBe(false);
  });

  it('[core-1.8] leaves a crashed module down when the gate moduleRestart is off, while the others run on', async () => {
    const stop = new AbortController();
    let starts = 0;
    const agent = new Core({
      config: {},
      log: silentLogger,
      gates: { enabled: () => false, explicit: (gate) => (gate === 'moduleRestart' ? false : undefined) },
      deadLetters: { add: () => undefined },
    });
    agent.register(probe({ name: 'weak', run: () => Promise.reject(new Error(`crash ${(starts += 1)}`)) })).register(probe({ name: 'strong', run: serve }));
    const running = agent.run(stop.signal);
    await until(agent, 'weak', 'failed');
    await until(agent, 'strong', 'ready');
    // Well beyond the first pause of a restart.
    await new Promise((resolve) => setTimeout(resolve, quick.firstMs * 10));
    expect(starts).toBe(1);
    expect(agent.health.value['weak']).toMatchObject({ phase: 'failed', lastError: 'crash 1' });
    stop.abort();
    await running;
  });

  it('[core-1.7] runs many agents side by side in one process without one knowing of the other', async () => {
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    const heard: number[] = [];
    const agents = Array.from({ length: 50 }, (_, number) => core().register(probe({ run: serve, handle: () => void heard.push(number) })));
    const running = agents.map((agent) => agent.run(stop.signal));
    await Promise.all(agents.map((agent) => until(agent, 'probe', 'ready')));
    await agents[7]?.bus.send({ group: 'probes' }, message('insert'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([7]);
    stop.abort();
    await Promise.all(running);
    expect(agents.map((agent) => agent.health.value['probe']?.phase)).toEqual(agents.map(() => 'done'));
  });
});
