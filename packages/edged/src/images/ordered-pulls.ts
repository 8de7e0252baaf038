import type { ContainerRuntime } from '@edge/core';
import { isFields } from '@edge/protocol';
import { edgedError } from '../errors.js';
import type { Credentials } from './credentials.js';
import { parseImageName } from './image-name.js';
import type { PullQueue } from './pull-queue.js';

/** Pulls of images that somebody orders before any pod wants them. They share the queue with those of the pods. [edged-41] */
export class OrderedPulls {
  readonly #runtime: ContainerRuntime;
  readonly #queue: PullQueue;
  readonly #credentials: Credentials;

  constructor(deps: { runtime: ContainerRuntime; queue: PullQueue; credentials: Credentials }) {
    this.#runtime = deps.runtime;
    this.#queue = deps.queue;
    this.#credentials = deps.credentials;
  }

  /**
   * Has the image here when it resolves; one that is here already is not asked for again.
   * @param content `{image, secret}`; secret: `namespace/name` of a pull secret, may be absent
   * @returns `{image}`: its reference
   * @throws EdgeError `edged.image-name`, `edged.bad-answer`; what the runtime throws
   */
  async pull(content: unknown, signal: AbortSignal): Promise<{ image: string }> {
    const { image, secret = '' } = isFields(content) ? content : {};
    if (typeof image !== 'string' || typeof secret !== 'string') throw edgedError('edged.bad-answer', 'a pull needs the name of an image, and of a secret where there is one');
    const name = parseImageName(image);
    const present = await this.#runtime.imageStatus(name.asked, signal);
    if (present) return { image: present.id };
    const { ref } = await this.#queue.pull(name.asked, await this.#credentials.ordered(name, secret, signal), signal);
    return { image: ref };
  }
}
