import type { Forwarder } from './forwarder.js';
import type { Known, Zone } from './zone.js';
import { addressesIn } from './wire/scan-answer.js';
import { Malformed, type Name } from './wire/names.js';
import { readQuery } from './wire/read-query.js';
import { Rcodes, Types, type Query } from './wire/types.js';
import { udpLimit, writeAnswer, writeCut, writeRefusal } from './wire/write-answer.js';

const TCP_LIMIT = 65_535;
/** Answers that a name elsewhere is followed for. */
const FOLLOWED: ReadonlySet<number> = new Set([Types.A, Types.AAAA]);

/** Bytes of a question → bytes of its answer. Never rejects. */
export class Resolver {
  readonly #zone: Zone;
  readonly #forwarder: Forwarder;

  constructor(deps: { zone: Zone; forwarder: Forwarder }) {
    this.#zone = deps.zone;
    this.#forwarder = deps.forwarder;
  }

  /** @returns undefined when nothing is to be said; no promise where the node knows the answer by itself */
  answer(bytes: Buffer, isTcp: boolean, signal: AbortSignal): Buffer | undefined | Promise<Buffer | undefined> {
    const read = readQuery(bytes);
    if (read === undefined) return undefined;
    if ('refusal' in read) return writeRefusal(read.refusal);
    const { query } = read;
    const limit = isTcp ? TCP_LIMIT : udpLimit(query);
    const known = this.#zone.answer(query);
    if (known?.kind === 'answer') return writeAnswer(query, known.answer, limit);
    if (known !== undefined) return this.#alias(query, known, limit, signal);
    const cached = this.#forwarder.known(query);
    if (cached !== undefined) return fitting(query, cached, limit);
    return this.#forwarder.ask(query, isTcp, signal).then((answer) => (answer === undefined ? failure(query) : fitting(query, answer, limit)), () => failure(query));
  }

  /** Resolvers of pods do not follow a name by themselves. */
  async #alias(query: Query, { record, target }: Known & { kind: 'alias' }, limit: number, signal: AbortSignal): Promise<Buffer> {
    const answers = [record];
    let rcode: number = Rcodes.noError;
    if (FOLLOWED.has(query.type)) {
      const asked: Query = { ...query, name: target, question: questionFor(target, query.type), edns: undefined };
      const bytes = this.#forwarder.known(asked) ?? (await this.#forwarder.ask(asked, false, signal).catch(() => undefined));
      if (bytes === undefined) return failure(query);
      rcode = bytes.readUInt16BE(2) & 0xf;
      try {
        answers.push(...addressesIn(bytes));
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
      }
    }
    return writeAnswer(query, { rcode, authoritative: true, answers, authority: [], additional: [] }, limit);
  }
}

function questionFor(name: Name, type: number): Buffer {
  const labels = name.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]);
  return Buffer.concat([...labels, Buffer.from([0, type >> 8, type & 0xff, 0, 1])]);
}

function fitting(query: Query, answer: Buffer, limit: number): Buffer {
  return answer.length <= limit ? answer : writeCut(query);
}

function failure(query: Query): Buffer {
  return writeAnswer(query, { rcode: Rcodes.servFail, authoritative: false, answers: [], authority: [], additional: [] }, TCP_LIMIT);
}
