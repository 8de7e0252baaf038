import { Complaints, errorText, sleep, type Logger, type NodeIdentity } from '@edge/core';
import { EndpointCheck, checkedEndpoints, CHECK_RULES } from './balance/endpoint-check.js';
import type { ServiceTable } from './data/service-table.js';
import { chooseInterception } from './intercept/choose.js';
import type { Interception } from './intercept/interception.js';
import type { KernelPort } from './intercept/plan-table.js';
import { ServiceRoutes, type Route } from './intercept/service-routes.js';
import type { SystemCommand } from './intercept/commands.js';
import type { MeshPart } from './mesh-part.js';
import type { Range } from './own-address/range.js';
import { PROXY_LIMITS } from './proxy/limits.js';
import { connectionsThatFit } from './proxy/open-files.js';
import { planWays, type CarriedPort, type Ways as Plan } from './proxy/plan-ways.js';
import { CarrierThread, type Load } from './proxy/thread/carrier-thread.js';
import { code } from './proxy/thread/carrier.worker-code.js';
import type { WaysConfig } from './ways-config.js';

/** Changes that come together are done together. */
const GATHER_MS = 100;
const LOOK_MS = 30_000;
/** As long as the supervisor may take to start a part that failed. */
const FAILURE_SECONDS = 120;

export interface WaysDeps {
  readonly config: WaysConfig;
  readonly identity: Pick<NodeIdentity, 'name'>;
  readonly log: Logger;
  /** Services have addresses of this range in place of their cluster addresses. */
  readonly ownRange?: Range;
  /** A program of the system by its name: `nft`, `iptables`, `iptables-restore`, `iptables-save`, the same of `ip6tables`, `ip`. */
  readonly run: (program: string) => SystemCommand;
  /** Between looks whether somebody took rules or routes away, milliseconds. Default 30 s. */
  readonly lookMs?: number;
}

/** Ways from cluster addresses to endpoints: by the kernel where it can, by the agent for what it cannot. [edgemesh-42] */
export class Ways implements MeshPart {
  readonly #deps: WaysDeps;
  readonly #complaints = new Complaints();
  #carrier: CarrierThread | undefined;

  constructor(deps: WaysDeps) {
    this.#deps = deps;
  }

  async run(table: ServiceTable, signal: AbortSignal, ready: () => void): Promise<void> {
    const { config, run, log, lookMs = LOOK_MS } = this.#deps;
    const interceptor = await chooseInterception({ intercept: config.intercept, run, log });
    const routes = new ServiceRoutes({ ip: run('ip') });
    const check = new EndpointCheck({ rules: { ...CHECK_RULES, everyMs: config.checkSeconds * 1000 } });
    const changed = new Alarm();
    using _subscription = table.changes.subscribe(() => changed.ring());
    await using carrier = await this.#makeCarrier(interceptor !== undefined, changed);
    this.#carrier = carrier;
    const ended = new AbortController();
    const checking = this.#check(table, check, changed, AbortSignal.any([signal, ended.signal]));
    try {
      let isFirst = true;
      while (!signal.aborted) {
        const plan = this.#plan(table, check, interceptor !== undefined);
        await this.#set(plan, this.#load(plan, table, check), { interceptor, routes, carrier });
        if (isFirst) ready();
        isFirst = false;
        if (!(await changed.wait(lookMs, signal))) await this.#look(interceptor, routes);
        else await sleep(GATHER_MS, signal).catch(() => undefined);
      }
    } finally {
      ended.abort();
      await checking;
      // What fails is begun anew soon, and the kernel goes on meanwhile.
      await this.#leave(interceptor, routes, signal.aborted ? config.lapseSeconds : Math.max(config.lapseSeconds, FAILURE_SECONDS));
    }
  }

  /** Connections that the agent itself carries now. */
  async carried(): Promise<number> {
    return (await this.#carrier?.connections()) ?? 0;
  }

  #plan(table: ServiceTable, check: EndpointCheck, hasKernel: boolean): Plan {
    const { config, identity } = this.#deps;
    const plan = planWays(table.all(), { node: identity.name, strategy: config.strategy, locality: config.locality, hasKernel, isDead: check.isDead });
    for (const mistake of plan.mistakes) this.#complain(mistake);
    return plan;
  }

  /** With what is carried go the services of all routes, and what is known of their endpoints. */
  #load({ carried }: Plan, table: ServiceTable, check: EndpointCheck): Load {
    const names = new Map(carried.flatMap(({ namespace, name, routes = [] }) => [name, ...routes.map(({ service }) => service)].map((of) => [`${namespace}/${of}`, { namespace, name: of }])));
    const services = [...names.values()].flatMap(({ namespace, name }) => table.get(namespace, name) ?? []);
    return { ports: carried, services, dead: check.dead() };
  }

  /** One that fails is tried again after a while; the others serve on. */
  async #set({ kernel, carried }: Plan, load: Load, { interceptor, routes, carrier }: { interceptor: Interception | undefined; routes: ServiceRoutes; carrier: CarrierThread }): Promise<void> {
    await this.#attempt('ways to cluster addresses', () => routes.sync(routesTo(kernel, carried, this.#deps.ownRange)));
    await carrier.sync(load);
    if (interceptor === undefined) return;
    const led = carried.map((port): KernelPort => ({ service: `${port.namespace}/${port.name}`, addresses: port.addresses, protocol: port.protocol, port: port.port, targets: carrier.listening(port.id), strategy: 'RoundRobin' }));
    await this.#attempt('rules of the kernel', () => interceptor.apply([...kernel, ...led]));
  }

  async #look(interceptor: Interception | undefined, routes: ServiceRoutes): Promise<void> {
    routes.doubt();
    await this.#attempt('rules of the kernel', async () => {
      if (await interceptor?.repair()) this.#deps.log.warn('somebody changed the rules of the mesh, they are as they were');
    });
  }

  async #check(table: ServiceTable, check: EndpointCheck, changed: Alarm, signal: AbortSignal): Promise<void> {
    const { config, log } = this.#deps;
    if (config.checkSeconds === 0) return;
    while (!signal.aborted) {
      const { died, back } = await check.round(checkedEndpoints(table.all()), signal);
      for (const key of died) log.warn(`endpoint ${key} takes no connections and is left out`);
      for (const key of back) log.info(`endpoint ${key} takes connections again`);
      if (died.length + back.length > 0) changed.ring();
      await sleep(config.checkSeconds * 1000, signal).catch(() => undefined);
    }
  }

  /** Open connections live on. */
  async #leave(interceptor: Interception | undefined, routes: ServiceRoutes, seconds: number): Promise<void> {
    await this.#attempt('rules of the kernel', async () => interceptor?.leave(seconds));
    if (interceptor === undefined) await this.#attempt('ways to cluster addresses', () => routes.sync([]));
    else if (seconds === 0) await this.#attempt('ways to cluster addresses', () => routes.leave());
  }

  async #makeCarrier(isLed: boolean, changed: Alarm): Promise<CarrierThread> {
    const { config, identity } = this.#deps;
    // Without files left, nothing else in the agent could work.
    const connections = Math.min(config.maxConnections, (await connectionsThatFit()) ?? Infinity);
    const limits = { ...PROXY_LIMITS, connections, idleMs: config.idleSeconds * 1000, halfClosedMs: Math.min(PROXY_LIMITS.halfClosedMs, config.idleSeconds * 1000) };
    return new CarrierThread({
      setup: { limits, node: identity.name, locality: config.locality, strategy: config.strategy, isLed },
      code,
      say: (text) => this.#complain(text),
      onFailure: () => changed.ring(),
    });
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#complain(`${what} cannot be set: ${errorText(error)}`);
    }
  }

  #complain(text: string): void {
    if (this.#complaints.passes(text)) this.#deps.log.warn(text);
  }
}

function routesTo(kernel: readonly KernelPort[], carried: readonly CarriedPort[], ownRange: Range | undefined): readonly Route[] {
  // Whole, so that an address that no service has any more is refused at once; cluster addresses of names that others serve are none of it.
  if (ownRange !== undefined) return ownRange.isLoopback ? [] : [{ address: ownRange.text, type: 'local' }];
  const routes = new Map<string, Route>();
  for (const { addresses } of kernel) for (const address of addresses) routes.set(address, { address, type: 'unicast' });
  // The agent listens there, and no link has the address.
  for (const { addresses } of carried) for (const address of addresses) routes.set(address, { address, type: 'local' });
  return [...routes.values()];
}

/** Something changed, once or several times. */
class Alarm {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Waits for it. @returns false when the time was over or the signal aborted before */
  async wait(milliseconds: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#rung) {
      const over = new AbortController();
      const rung = new Promise<void>((resolve) => (this.#wake = resolve));
      await Promise.race([rung, sleep(milliseconds, AbortSignal.any([signal, over.signal])).catch(() => undefined)]);
      over.abort();
      this.#wake = undefined;
    }
    const wasRung = this.#rung;
    this.#rung = false;
    return wasRung;
  }
}
