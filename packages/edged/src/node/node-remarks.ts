import { isFields } from '@edge/protocol';
import { edgedError } from '../errors.js';

/** Annotations of other names are others': CloudCore's and those of people. */
const PREFIX = 'edge.kubeedge.io/';
const LONGEST = 1024;

/** Annotations of the Node that other modules of the agent ask for. */
export class NodeRemarks {
  #all: Readonly<Record<string, string>> = {};

  get all(): Readonly<Record<string, string>> {
    return this.#all;
  }

  /**
   * Takes texts by the annotation's name. A text that is too long is cut.
   * @returns whether anything is new
   * @throws EdgeError `edged.bad-answer`
   */
  take(content: unknown): boolean {
    const entries = Object.entries(isFields(content) ? content : {});
    const [wrong] = entries.filter(([name, text]) => !name.startsWith(PREFIX) || typeof text !== 'string');
    if (wrong || entries.length === 0) throw edgedError('edged.bad-answer', `annotations of the Node have names that begin with ${PREFIX} and texts, not ${JSON.stringify(wrong ?? content)?.slice(0, 100)}`);
    const next = { ...this.#all, ...Object.fromEntries(entries.map(([name, text]) => [name, String(text).slice(0, LONGEST)])) };
    const isNew = entries.some(([name]) => next[name] !== this.#all[name]);
    this.#all = next;
    return isNew;
  }
}
