import { codeOf, errorText, MapperError, MapperErrors } from '../errors.js';
import type { Driver } from '../driver.js';
import { Once, type Log } from '../log.js';
import type { Timing } from '../options.js';
import { growingPause, now } from '../time.js';
import { Bell } from './bell.js';
import type { Device, DeviceState } from './device.js';
import { OpenDriver } from './open-driver.js';
import { planUpdate } from './plan-update.js';
import { PropertyWork, type Outlet } from './property-work.js';

/** How a device is, for people and for health checks. */
export interface DeviceHealth {
  readonly id: string;
  readonly state: DeviceState;
  /** Why the driver could not be started, or the device was lost. */
  readonly error: string | undefined;
  /** Properties whose last read or write failed, and why. */
  readonly failing: Readonly<Record<string, string>>;
}

/** A request of somebody outside; it gets the open driver, or the reason why there is none. */
type Request<Connection> = (open: OpenDriver<Connection> | MapperError) => Promise<void>;

/** As many calls may fail in a row before a device of which nothing can be read counts as lost. */
const FAILURES_UNTIL_LOST = 3;

/**
 * The life of one device: the driver is started, desired values are written, properties are read by their cycles, until
 * the device is lost or its manifest changes, and so on until the mapper or the device goes. One call of the driver at a
 * time.
 */
export class DeviceWorker<Connection> {
  readonly #driver: Driver<Connection>;
  readonly #outlet: Outlet;
  readonly #log: Log;
  readonly #timing: Timing;
  readonly #work: PropertyWork<Connection>;
  readonly #bell = new Bell();
  readonly #once = new Once();
  readonly #life = new AbortController();
  #device: Device;
  #requests: Request<Connection>[] = [];
  #open: OpenDriver<Connection> | undefined;
  #reopen = false;
  #state: DeviceState = 'unknown';
  /** What the driver says, if it does. */
  #told: DeviceState | undefined;
  #stateAt = 0;
  #error: string | undefined;
  /** Starts since the last success. */
  #vainStarts = 0;
  #ended: Promise<void> | undefined;

  constructor(deps: { readonly driver: Driver<Connection>; readonly device: Device; readonly outlet: Outlet; readonly report: 'cycle' | 'change'; readonly log: Log; readonly timing: Timing }) {
    this.#driver = deps.driver;
    this.#device = deps.device;
    this.#outlet = deps.outlet;
    this.#log = deps.log;
    this.#timing = deps.timing;
    this.#work = new PropertyWork(deps);
  }

  get device(): Device {
    return this.#device;
  }

  health(): DeviceHealth {
    return { id: this.#device.id, state: this.#state, error: this.#error, failing: this.#work.failing() };
  }

  start(): void {
    this.#ended ??= this.#run(this.#life.signal);
  }

  /** Stops the driver. Resolves when nothing of the device is left. */
  async stop(): Promise<void> {
    this.#life.abort();
    this.#bell.ring();
    await this.#ended;
    this.#state = 'unknown';
  }

  /** Takes a changed manifest. */
  update(device: Device): void {
    const plan = planUpdate(this.#device, device);
    if (plan === 'nothing') return;
    this.#log.info(`device ${device.id} has changed${plan === 'reopen' ? '; its driver is started again' : ''}`);
    this.#device = device;
    this.#reopen ||= plan === 'reopen';
    if (plan === 'reopen') this.#vainStarts = 0;
    this.#work.update(device);
    this.#open?.update(device);
    this.#bell.ring();
  }

  /** EdgeCore may have forgotten everything: all values and the state are reported again. */
  reportAgain(): void {
    this.#work.reportAgain();
    if (this.#device.stateReport.toCloud && this.#state !== 'unknown') this.#outlet.state(this.#device, this.#state);
  }

  /** Reads a property now. @throws MapperError `mapper.unknown-property`, `mapper.device-away`, or as the driver's call */
  read(name: string): Promise<string> {
    return this.#ask((open) => this.#work.readNow(open, name, this.#life.signal));
  }

  /** Writes a property now. @throws MapperError as `read`; `mapper.read-only`, `mapper.bad-value`, `mapper.out-of-range` */
  write(name: string, text: string): Promise<void> {
    return this.#ask((open) => this.#work.writeNow(open, name, text, this.#life.signal));
  }

  async #run(life: AbortSignal): Promise<void> {
    while (!life.aborted) {
      this.#reopen = false;
      const open = await this.#start(life);
      if (open) await this.#serve(open, life);
      if (this.#vainStarts > 0) await this.#rest(growingPause({ firstMs: this.#timing.pauseMs, limitMs: this.#timing.longestPauseMs }, this.#vainStarts - 1), life);
    }
    await this.#answer(new MapperError(MapperErrors.stopped, `device ${this.#device.id} was stopped`));
  }

  /** Starts the driver; undefined when it cannot be started now. */
  async #start(life: AbortSignal): Promise<OpenDriver<Connection> | undefined> {
    this.#vainStarts += 1;
    try {
      const open = await OpenDriver.start({ driver: this.#driver, device: this.#device, timing: this.#timing }, life);
      this.#work.opened();
      return open;
    } catch (error) {
      if (codeOf(error) !== MapperErrors.stopped) this.#lose(errorText(error));
      return undefined;
    }
  }

  /** Works until the device is lost, has to be opened anew, or the life is over; then stops the driver. */
  async #serve(open: OpenDriver<Connection>, life: AbortSignal): Promise<void> {
    this.#open = open;
    this.#told = undefined;
    this.#stateAt = now();
    // The manifest may have changed while the driver was being started.
    open.update(this.#device);
    try {
      while (!life.aborted && !this.#reopen) {
        await this.#answer(open);
        await this.#work.round(open, life, () => this.#reopen || open.lost, () => this.#requests.length > 0);
        if (life.aborted || this.#reopen) return;
        if (open.lost || (open.failuresInARow >= FAILURES_UNTIL_LOST && this.#work.noneReads)) return this.#lose(open.lastError);
        if (open.failuresInARow === 0) this.#found();
        await this.#tellState(open, life);
        if (this.#requests.length === 0) await this.#bell.sleep(Math.min(this.#work.nextDue(), this.#stateAt) - now());
      }
    } finally {
      this.#open = undefined;
      await open.stop(this.#log);
    }
  }

  /** The pause between two starts; a changed manifest ends it. */
  async #rest(milliseconds: number, life: AbortSignal): Promise<void> {
    const until = now() + milliseconds;
    while (!life.aborted && this.#vainStarts > 0 && now() < until) {
      await this.#answer(new MapperError(MapperErrors.deviceAway, `device ${this.#device.id} is ${this.#state}: ${this.#error ?? ''}`));
      await this.#bell.sleep(until - now());
    }
  }

  #ask<T>(job: (open: OpenDriver<Connection>) => Promise<T>): Promise<T> {
    if (this.#life.signal.aborted) return Promise.reject(new MapperError(MapperErrors.stopped, `device ${this.#device.id} was stopped`));
    return new Promise((resolve, reject) => {
      this.#requests.push(async (open) => (open instanceof MapperError ? reject(open) : job(open).then(resolve, reject)));
      this.#bell.ring();
    });
  }

  async #answer(open: OpenDriver<Connection> | MapperError): Promise<void> {
    const requests = this.#requests;
    this.#requests = [];
    for (const request of requests) await request(open);
  }

  #found(): void {
    this.#vainStarts = 0;
    this.#error = undefined;
    this.#once.clear('lost');
  }

  #lose(reason: string): void {
    this.#error = reason;
    if (this.#once.say('lost', reason)) this.#log.warn(`device ${this.#device.id} is lost: ${reason}`);
    this.#setState('offline', false);
  }

  /** Asks the driver for the state, or tells it from how the properties are. A changed state is reported at once. */
  async #tellState(open: OpenDriver<Connection>, life: AbortSignal): Promise<void> {
    const due = now() >= this.#stateAt;
    if (due) {
      this.#stateAt = now() + this.#device.stateReport.cycleMs;
      if (open.canTellState) this.#told = await open.state(life).catch(() => 'unhealthy' as const);
      if (life.aborted) return;
    }
    // A device that was lost is back with its first success, not with a driver that could be started.
    const lost = this.#state === 'offline' && this.#vainStarts > 0;
    this.#setState(this.#told ?? (lost ? 'offline' : this.#work.isFailing ? 'unhealthy' : 'online'), due);
  }

  #setState(state: DeviceState, due: boolean): void {
    if (state !== this.#state) this.#log.info(`device ${this.#device.id} is ${state}`);
    else if (!due) return;
    this.#state = state;
    if (this.#device.stateReport.toCloud) this.#outlet.state(this.#device, state);
  }
}
