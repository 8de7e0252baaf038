import { parseScrape, type Scrape } from './scrape-text.js';

export interface NodeMeasurementsDeps {
  /** Text of a node's `/metrics/resource`. Rejects when the node is not there. */
  readonly read: (node: string, signal: AbortSignal) => Promise<string>;
  readonly now: () => number;
  /** Resolves after so many milliseconds. */
  readonly pause: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** Two scrapes of a node, some time apart. */
export interface Pair {
  readonly before: Scrape;
  readonly after: Scrape;
}

interface Known {
  readonly scrape: Scrape;
  /** By the clock of the cloud. */
  readonly at: number;
}

/** Who asks within this time is given the same. */
const FRESH_MS = 5000;
/** Nodes measure anew after 3 s; a first answer waits for so long. */
const APART_MS = 3500;
/** An older scrape says nothing of what happens now. */
const OLD_MS = 120_000;
const PATIENCE_MS = 20_000;

/** Measures nodes when somebody asks, and never by itself: the use of processors lies between two scrapes. */
export class NodeMeasurements {
  readonly #deps: NodeMeasurementsDeps;
  readonly #pairs = new Map<string, { at: number; readonly pair: Promise<Pair> }>();
  readonly #last = new Map<string, Known>();

  constructor(deps: NodeMeasurementsDeps) {
    this.#deps = deps;
  }

  /** Two scrapes, the later one of now. Rejects when the node does not answer. */
  pair(node: string): Promise<Pair> {
    this.#forgetOld();
    const known = this.#pairs.get(node);
    if (known) return known.pair;
    const pair = this.#measure(node);
    // While it is being measured it is of now.
    const mine = { at: Infinity, pair };
    this.#pairs.set(node, mine);
    pair.then(() => (mine.at = this.#deps.now()), () => this.#pairs.delete(node));
    return pair;
  }

  async #measure(node: string): Promise<Pair> {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const last = this.#last.get(node) ?? (await this.#scrape(node, signal));
    const left = last.at + APART_MS - this.#deps.now();
    if (left > 0) await this.#deps.pause(left, signal);
    const { scrape: after } = await this.#scrape(node, signal);
    return { before: last.scrape, after };
  }

  async #scrape(node: string, signal: AbortSignal): Promise<Known> {
    const text = await this.#deps.read(node, signal);
    const known = { scrape: parseScrape(text, this.#deps.now()), at: this.#deps.now() };
    this.#last.set(node, known);
    return known;
  }

  #forgetOld(): void {
    const now = this.#deps.now();
    for (const [node, { at }] of this.#pairs) if (now - at > FRESH_MS) this.#pairs.delete(node);
    for (const [node, { at }] of this.#last) if (now - at > OLD_MS) this.#last.delete(node);
  }
}
