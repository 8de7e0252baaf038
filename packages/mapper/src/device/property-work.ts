import type { Twin } from '@edge/protocol/dmi';
import { codeOf, errorText, MapperError, MapperErrors } from '../errors.js';
import { Once, type Log } from '../log.js';
import type { Timing } from '../options.js';
import { growingPause, now } from '../time.js';
import { writableValue } from './check-value.js';
import type { Device, DeviceState, Property } from './device.js';
import type { OpenDriver } from './open-driver.js';
import { dueSteps, isCollected, newTrack, nextDue, nextInCycle, type Track } from './track.js';
import { fitsTwin, formatValue } from './values.js';

/** A value on its way to a push method. */
export interface Sample {
  readonly text: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Where values and states go. */
export interface Outlet {
  status(device: Device, twin: Twin): void;
  state(device: Device, state: DeviceState): void;
  push(device: Device, property: Property, sample: Sample): void;
}

/** The properties of one device: what is read and written when, and what of it is told. */
export class PropertyWork<Connection> {
  readonly #outlet: Outlet;
  readonly #onlyChanges: boolean;
  readonly #log: Log;
  readonly #timing: Timing;
  readonly #once = new Once();
  #device: Device;
  #tracks: ReadonlyMap<string, Track>;

  constructor(deps: { readonly outlet: Outlet; readonly report: 'cycle' | 'change'; readonly log: Log; readonly timing: Timing; readonly device: Device }) {
    this.#outlet = deps.outlet;
    this.#onlyChanges = deps.report === 'change';
    this.#log = deps.log;
    this.#timing = deps.timing;
    this.#device = deps.device;
    this.#tracks = new Map(deps.device.properties.map((property) => [property.name, newTrack(property, now())]));
  }

  /** The driver was started: everything is looked at anew, and the device may have lost its desired values. */
  opened(): void {
    const at = now();
    for (const track of this.#tracks.values()) Object.assign(track, { collectAt: at, reportAt: at, writeAt: at, settled: undefined, readFailures: 0, writeFailures: 0 });
  }

  update(device: Device): void {
    const at = now();
    this.#device = device;
    this.#tracks = new Map(device.properties.map((property) => [property.name, updated(this.#tracks.get(property.name) ?? newTrack(property, at), property, at)]));
  }

  /**
   * Does what is due.
   * @param ended nothing more is to be done with this driver
   * @param asked somebody waits; the first step is done all the same, so that requests without end do not hold up everything
   */
  async round(open: OpenDriver<Connection>, life: AbortSignal, ended: () => boolean, asked: () => boolean): Promise<void> {
    for (const [index, { kind, track }] of dueSteps(this.#tracks.values(), now()).entries()) {
      if (life.aborted || ended() || (index > 0 && asked())) return;
      if (kind === 'write') await this.#writeDesired(open, track, life);
      else await this.#collect(open, track, life);
    }
  }

  nextDue(): number {
    return nextDue(this.#tracks.values());
  }

  /** Properties whose last read or write failed, with the reason. */
  failing(): Record<string, string> {
    const failing: Record<string, string> = {};
    for (const [name, { readError, writeError }] of this.#tracks) {
      const error = readError ?? writeError;
      if (error !== undefined) failing[name] = error;
    }
    return failing;
  }

  /** True when the device does not do what it should; a desired value that is refused is not the device's fault. */
  get isFailing(): boolean {
    return [...this.#tracks.values()].some(({ readFailures, writeFailures }) => readFailures > 0 || writeFailures > 0);
  }

  /** False when some property was read well the last time. */
  get noneReads(): boolean {
    return [...this.#tracks.values()].every(({ property, readError }) => !isCollected(property) || readError !== undefined);
  }

  /** All values that are known, once more. */
  reportAgain(): void {
    for (const track of this.#tracks.values()) this.#report(track);
  }

  /** @throws MapperError `mapper.unknown-property`, or as the driver's call */
  async readNow(open: OpenDriver<Connection>, name: string, life: AbortSignal): Promise<string> {
    return this.#read(open, this.#track(name), life);
  }

  /** @throws MapperError `mapper.unknown-property`, as `writableValue`, or as the driver's call */
  async writeNow(open: OpenDriver<Connection>, name: string, text: string, life: AbortSignal): Promise<void> {
    const track = this.#track(name);
    await open.write(track.property, writableValue(track.property, text), life);
    this.#showEffect(track);
  }

  #track(name: string): Track {
    const track = this.#tracks.get(name);
    if (!track) throw new MapperError(MapperErrors.unknownProperty, `device ${this.#device.id} has no property "${name}"`);
    return track;
  }

  async #collect(open: OpenDriver<Connection>, track: Track, life: AbortSignal): Promise<void> {
    const at = now();
    track.collectAt = nextInCycle(track.collectAt, track.property.collectCycleMs, at);
    try {
      await this.#read(open, track, life);
      track.readFailures = 0;
      track.readError = undefined;
      if (this.#once.clear(`read ${track.property.name}`)) this.#log.info(`device ${this.#device.id}: ${track.property.name} can be read again`);
      this.#deliver(track, at);
    } catch (error) {
      if (codeOf(error) === MapperErrors.stopped) return;
      track.collectAt = Math.max(track.collectAt, now() + this.#pause(track.readFailures));
      track.readFailures += 1;
      track.readError = errorText(error);
      this.#warn(`read ${track.property.name}`, track.readError);
    }
  }

  async #read(open: OpenDriver<Connection>, track: Track, life: AbortSignal): Promise<string> {
    const text = formatValue(track.property.type, await open.read(track.property, life));
    track.latest = { text, at: Date.now() };
    return text;
  }

  async #writeDesired(open: OpenDriver<Connection>, track: Track, life: AbortSignal): Promise<void> {
    const { property } = track;
    const { desired = '' } = property;
    const subject = `write ${property.name}`;
    // An attempt that fails may have had its effect: a value that stood before has to be written again, too.
    track.settled = undefined;
    try {
      const value = writableValue(property, desired);
      await open.write(property, value, life);
      track.settled = desired;
      track.observed = desired;
      track.writeFailures = 0;
      track.writeError = undefined;
      this.#once.clear(subject);
      this.#log.info(`device ${this.#device.id}: ${property.name} was set to ${desired}`);
      this.#showEffect(track);
    } catch (error) {
      const code = codeOf(error);
      if (code === MapperErrors.stopped) return;
      track.writeError = errorText(error);
      this.#warn(subject, track.writeError);
      if (code === MapperErrors.driverFailed || code === MapperErrors.driverTimeout) {
        track.writeAt = now() + this.#pause(track.writeFailures);
        track.writeFailures += 1;
      } else {
        // The value itself is refused: nothing to try until another comes.
        track.settled = desired;
      }
    }
  }

  /** After a write the property is read and reported at once. */
  #showEffect(track: Track): void {
    track.collectAt = now();
    track.reportAt = now();
  }

  #deliver(track: Track, at: number): void {
    const { property, latest } = track;
    // Half a cycle of tolerance, so that timers which fire a little early do not skip a report.
    if (!latest || track.reportAt > at + property.collectCycleMs / 2) return;
    track.reportAt = nextInCycle(track.reportAt, property.reportCycleMs, at);
    if (!this.#onlyChanges || track.reported !== fingerprint(track)) this.#report(track);
    if (property.push) this.#outlet.push(this.#device, property, latest);
  }

  #report(track: Track): void {
    const { property, latest, observed } = track;
    if (!latest || !property.reportToCloud) return;
    if (!fitsTwin(latest.text)) this.#warn(`text ${property.name}`, `"${latest.text.slice(0, 60)}" has characters that twins refuse, or is longer than 512; EdgeCore may not take it`);
    track.reported = fingerprint(track);
    const metadata = { timestamp: String(latest.at), type: property.type.toLowerCase() };
    this.#outlet.status(this.#device, { propertyName: property.name, observedDesired: { value: observed, metadata }, reported: { value: latest.text, metadata } });
  }

  #pause(failures: number): number {
    return growingPause({ firstMs: this.#timing.pauseMs, limitMs: this.#timing.longestPauseMs }, failures);
  }

  #warn(subject: string, text: string): void {
    if (this.#once.say(subject, text)) this.#log.warn(`device ${this.#device.id}: ${subject}: ${text}`);
  }
}

function fingerprint({ latest, observed }: Track): string {
  return JSON.stringify([latest?.text, observed]);
}

/** The track with the changed property. */
function updated(track: Track, property: Property, at: number): Track {
  if (property.desired !== track.property.desired || track.writeError !== undefined) {
    track.writeAt = at;
    track.writeFailures = 0;
    track.writeError = undefined;
    // What was refused may be right by the changed model.
    if (track.settled !== track.observed) track.settled = undefined;
  }
  if (property.desired === undefined) track.observed = '';
  track.collectAt = Math.min(track.collectAt, at + property.collectCycleMs);
  track.reportAt = Math.min(track.reportAt, at + property.reportCycleMs);
  track.property = property;
  return track;
}
