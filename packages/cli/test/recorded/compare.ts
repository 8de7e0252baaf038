import type { Message } from '@edge/protocol';
import { subject, type CaptureStep, type Heard } from '@edge/testing';
import type { Difference, OwnMessage, PairedMessages, RecordedMessage } from './difference.js';
import { machineAside } from './machine.js';
import { standsFor } from './pairing.js';
import { ownSide, recordedSide } from './sides.js';
import { comparable, differingLines, envelopeShape } from './texts.js';

export interface Evidence {
  readonly recordings: readonly (readonly CaptureStep[])[];
  /** Indexes of the recordings in which the agent was started. */
  readonly starts: readonly number[];
  readonly heard: readonly Heard[];
  /** What the agent was told. */
  readonly sent: readonly Message[];
}

export interface Verdict {
  /** What no difference covers, in words; empty when our agent said what upstream's said. */
  readonly problems: readonly string[];
  /** Names of the differences that were needed. */
  readonly needed: ReadonlySet<string>;
  /** Subjects that were compared with the recording, and how often. */
  readonly compared: ReadonlyMap<string, number>;
}

/** Compares both ways: each recorded message is met or covered by a difference, and so is each of ours. Pure. */
export function compare(evidence: Evidence, differences: readonly Difference[]): Verdict {
  const comparison = new Comparison(evidence, differences);
  comparison.requests();
  comparison.acknowledgements();
  comparison.envelopes();
  return comparison;
}

class Comparison implements Verdict {
  readonly problems: string[] = [];
  readonly needed = new Set<string>();
  readonly compared = new Map<string, number>();
  readonly #differences: readonly Difference[];
  readonly #recorded: readonly RecordedMessage[];
  readonly #own: readonly OwnMessage[];

  constructor(evidence: Evidence, differences: readonly Difference[]) {
    this.#differences = differences;
    this.#recorded = recordedSide(evidence.recordings, evidence.starts);
    this.#own = ownSide(evidence.heard, evidence.sent, this.#recorded);
  }

  requests(): void {
    const open = this.#recorded.filter((one) => !isAck(one.message) && !this.#omitted(one));
    const clockwork = open.filter(({ message }) => this.#repeated(message));
    const added: OwnMessage[] = [];
    const lastOf = new Map<string, number>();
    for (const ours of this.#own) {
      const { message, capture } = ours;
      if (isAck(message)) continue;
      const byClock = this.#repeated(message);
      const from = byClock ? clockwork : open.filter((one) => one.capture === capture && !clockwork.includes(one));
      const candidates = from.filter((one) => subject(one.message) === subject(message));
      const met = standsFor(message, candidates.map((one) => one.message));
      const upstream = candidates.find((one) => one.message === met);
      if (!upstream) {
        if (this.#covered((one) => one.adds?.(ours))) added.push(ours);
        else this.#problem(ours, 'upstream did not send this');
        continue;
      }
      if (byClock) {
        // The last one of those that go by the clock stands for all that follow.
        if (candidates.length > 1) clockwork.splice(clockwork.indexOf(upstream), 1);
      } else {
        open.splice(open.indexOf(upstream), 1);
        const place = this.#recorded.indexOf(upstream);
        if (place < (lastOf.get(aboutWhat(message)) ?? -1)) this.#problem(ours, 'sent later than upstream sent it');
        lastOf.set(aboutWhat(message), place);
      }
      const before = added.filter((other) => other.capture === capture && subject(other.message) === subject(message)).map((other) => other.message);
      this.#compare({ upstream, ours, added: before });
    }
    for (const one of open) if (!this.#repeated(one.message)) this.problems.push(`recording ${one.capture}: not sent: ${subject(one.message)}`);
  }

  acknowledgements(): void {
    const ours = this.#own.filter(({ message }) => isAck(message));
    for (const recorded of this.#recorded.filter(({ message }) => isAck(message))) {
      const { parentId } = recorded.message.header;
      const at = ours.findIndex(({ message }) => message.header.parentId === parentId);
      const [own] = at < 0 ? [] : ours.splice(at, 1);
      if (own) this.#compare({ upstream: recorded, ours: own, added: [] });
      else if (!this.#omitted(recorded)) this.problems.push(`recording ${recorded.capture}: not acknowledged: ${subject(recorded.answered ?? recorded.message)}`);
    }
    for (const own of ours) {
      if (own.answered === undefined) this.#problem(own, 'acknowledges what was never sent');
      else if (!this.#covered((one) => one.adds?.(own))) this.#problem(own, 'upstream did not acknowledge this, or once');
    }
  }

  envelopes(): void {
    const shapes = (messages: readonly { message: Message; text: string }[], acks: boolean): Set<string> =>
      new Set(messages.filter(({ message }) => isAck(message) === acks).map(({ text }) => envelopeShape(text)));
    const known = { true: shapes(this.#recorded, true), false: shapes(this.#recorded, false) };
    const ids = new Set<string>();
    for (const own of this.#own) {
      const shape = envelopeShape(own.text);
      if (!known[`${isAck(own.message)}`].has(shape)) this.#problem(own, `the envelope has another form: ${shape}`);
      if (ids.has(own.message.header.id)) this.#problem(own, 'the message id was used before');
      ids.add(own.message.header.id);
    }
  }

  #compare(pair: PairedMessages): void {
    const { upstream, ours } = pair;
    const name = subject(ours.message);
    this.compared.set(name, (this.compared.get(name) ?? 0) + 1);
    const [theirRoute, ourRoute] = [comparable(upstream.message.route), comparable(ours.message.route)];
    if (theirRoute !== ourRoute) this.#problem(ours, `the route differs:\n${differingLines(theirRoute, ourRoute)}`);
    let contents = machineAside({ upstream: upstream.message.content, ours: ours.message.content }, ours.message);
    if (typeof contents.upstream !== typeof contents.ours) this.#problem(ours, `content is ${typeof contents.ours}, upstream's ${typeof contents.upstream}`);
    for (const { name: difference, rewrites } of this.#differences) {
      const next = rewrites?.(contents, pair) ?? contents;
      if (comparable(next) !== comparable(contents)) this.needed.add(difference);
      contents = next;
    }
    const [theirs, own] = [comparable(contents.upstream), comparable(contents.ours)];
    if (theirs !== own) this.#problem(ours, `the content differs:\n${differingLines(theirs, own)}`);
  }

  #omitted(one: RecordedMessage): boolean {
    return this.#covered((difference) => difference.omits?.(one));
  }

  #repeated(message: Message): boolean {
    return this.#covered((difference) => difference.repeats?.(message));
  }

  #covered(covers: (difference: Difference) => boolean | undefined): boolean {
    const found = this.#differences.find((difference) => covers(difference) === true);
    if (found) this.needed.add(found.name);
    return found !== undefined;
  }

  #problem({ capture, message }: OwnMessage, text: string): void {
    this.problems.push(`recording ${capture}: ${subject(message)}: ${text}`);
  }
}

function isAck({ header }: Message): boolean {
  return header.parentId !== undefined;
}

/** Messages about one thing have to keep their order: the states of a pod and its end, the node. */
function aboutWhat({ route }: Message): string {
  const [namespace = '', type = '', name = ''] = route.resource.split('/');
  return `${namespace}/${type.replace(/patch$/, '')}/${name}`;
}
