import { EdgeError, errorText, isAbort, sleep, withTimeout, type Logger, type RuntimeHandler } from '@edge/core';
import { nodeImages, type NodeImage } from '../images/node-images.js';
import type { OpenedRuntime } from './open-runtime.js';

/** Pause between tries to open a runtime: somebody waits for it at each boot. */
const RETRY_MS = 1000;
/** A runtime that does not answer so simple a question within this time is out of order. */
const ANSWER_MS = 5000;

/** How the runtime is, in the words of the node's status. */
export interface RuntimeCondition {
  /** `containerd://1.7.27`; empty while nothing has answered yet. */
  readonly version: string;
  /** Why the node cannot run pods; empty when it can. */
  readonly notReady: readonly string[];
  readonly handlers?: readonly RuntimeHandler[];
  readonly images?: NodeImage[];
}

export interface RuntimeKeeperDeps {
  readonly open: () => Promise<OpenedRuntime>;
  /** The runtime can run pods and could not a moment ago. */
  readonly onReady: () => void;
  /** Images that are told of; -1 for all, 0 for none. */
  readonly maxImages: number;
  readonly log: Logger;
}

/** Gets the runtime, however long it takes to appear, and knows how it is. */
export class RuntimeKeeper implements AsyncDisposable {
  readonly #deps: RuntimeKeeperDeps;
  #runtime: OpenedRuntime | undefined;
  #missing = 'the container runtime was not asked yet';
  #version = '';
  #ready = false;
  #asking: Promise<RuntimeCondition> | undefined;
  #opening: Promise<OpenedRuntime | undefined> | undefined;

  constructor(deps: RuntimeKeeperDeps) {
    this.#deps = deps;
  }

  /** One try. Undefined when there is no runtime yet. */
  tryOpen(): Promise<OpenedRuntime | undefined> {
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined));
    return this.#opening;
  }

  async #open(): Promise<OpenedRuntime | undefined> {
    try {
      this.#runtime ??= await this.#deps.open();
    } catch (error) {
      if (isAbort(error)) throw error;
      const text = errorText(error);
      if (text !== this.#missing) this.#deps.log.error('no container runtime yet, no pod is run or ended', { err: text });
      this.#missing = text;
    }
    return this.#runtime;
  }

  /** The runtime, as soon as there is one. */
  async opened(signal: AbortSignal): Promise<OpenedRuntime> {
    for (;;) {
      const runtime = await this.tryOpen();
      if (runtime) return runtime;
      await sleep(RETRY_MS, signal);
    }
  }

  /** Never rejects: what is wrong is the answer. Asked again while a question is open, all get its answer. */
  condition(): Promise<RuntimeCondition> {
    this.#asking ??= this.#ask()
      .then((condition) => {
        const ready = condition.notReady.length === 0;
        if (ready && !this.#ready) this.#deps.onReady();
        this.#ready = ready;
        return condition;
      })
      .finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#runtime?.[Symbol.asyncDispose]?.();
  }

  async #ask(): Promise<RuntimeCondition> {
    const runtime = this.#runtime;
    if (!runtime) return { version: '', notReady: [this.#missing] };
    const given = AbortSignal.timeout(ANSWER_MS);
    try {
      const images = this.#deps.maxImages === 0 ? undefined : runtime.listImages(given);
      const [{ name, version }, { conditions, handlers }, listed] = await withTimeout(Promise.all([runtime.version(given), runtime.status(given), images]), ANSWER_MS, () => new EdgeError('runtime.timeout', `no answer within ${ANSWER_MS / 1000} s`));
      this.#version = `${name}://${version}`;
      const notReady = conditions
        .filter(({ status }) => !status)
        .map(({ type, reason, message }) =>
          type === 'NetworkReady'
            ? `container runtime network not ready: NetworkReady=false reason:${reason} message:${message}`
            : `container runtime status not ready: ${type}=false reason:${reason} message:${message}`,
        );
      return { version: this.#version, notReady, ...(handlers ? { handlers } : {}), ...(listed ? { images: nodeImages(listed, this.#deps.maxImages) } : {}) };
    } catch (error) {
      return { version: this.#version, notReady: [`container runtime does not answer: ${errorText(error)}`] };
    }
  }
}
