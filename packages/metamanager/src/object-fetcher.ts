import { createMessage, formatResource, Groups, Modules, Operations, parseResource, type Message } from '@edge/protocol';
import type { Cloud } from './cloud.js';
import { answerNeedsAck } from './decide/acknowledge.js';
import { classifyContent } from './decide/content.js';
import type { MetaObjects } from './meta-objects.js';
import type { Freshness } from './reconcile/freshness.js';

/**
 * What asking the cloud for an object did to the store. `outdated`: a push had brought a newer state before the answer
 * came. `failed`: the answer told nothing about the object.
 */
export type FetchChange = 'none' | 'created' | 'replaced' | 'removed' | 'outdated' | 'failed';

export type Fetched =
  /** The answer has not come or counts no more; the store knows better. */
  | { readonly change: 'outdated' }
  | {
      /** The cloud's answer as it came. */
      readonly answer: Message;
      readonly change: Exclude<FetchChange, 'outdated'>;
    };

const CHANGES = { created: 'created', replaced: 'replaced', same: 'none', older: 'outdated', foreign: 'none' } as const;

/** Asks the cloud for objects and stores what it says. Whoever asks for the same object meanwhile shares the answer. */
export class ObjectFetcher {
  readonly #cloud: Cloud;
  readonly #objects: MetaObjects;
  readonly #freshness: Freshness;
  /** By session and resource. */
  readonly #running = new Map<string, Promise<Fetched>>();
  /** Ends the waiting for an answer. */
  readonly #overtake = new Map<string, () => void>();

  constructor(deps: { cloud: Cloud; objects: MetaObjects; freshness: Freshness }) {
    this.#cloud = deps.cloud;
    this.#objects = deps.objects;
    this.#freshness = deps.freshness;
  }

  /** @throws EdgeError as `Cloud.ask`, and the store's when the answer could not be committed */
  fetch(resource: string): Promise<Fetched> {
    const key = this.#keyOf(resource);
    const running = this.#running.get(key);
    if (running) return running;
    const pushed = new Promise<Fetched>((resolve) => this.#overtake.set(key, () => resolve({ change: 'outdated' })));
    const started = Promise.race([this.#fetch(resource), pushed]).finally(() => {
      this.#running.delete(key);
      this.#overtake.delete(key);
    });
    this.#running.set(key, started);
    return started;
  }

  /**
   * The object was pushed and is stored. CloudHub keeps one message for each object that waits to be sent, so a push may
   * have taken the place of the answer, which then never comes.
   */
  overtaken(resource: string): void {
    this.#overtake.get(this.#keyOf(resource))?.();
  }

  /**
   * Stores what an answer says and acknowledges it where the cloud waits for that. Refuses it when it cannot be stored.
   * @param before what was stored when the question was asked; undefined also when that is not known any more
   */
  async take(answer: Message, before: ReturnType<MetaObjects['identity']>): Promise<FetchChange> {
    const path = parseResource(answer.route.resource);
    const content = classifyContent(path.type, answer.content);
    let change: FetchChange = 'none';
    try {
      if (content.form === 'object') {
        const decision = await this.#objects.upsert({ path, object: content.object, headerVersion: answer.header.resourceVersion, origin: 'answer' });
        change = CHANGES[decision];
      } else if (content.form === 'value') {
        await this.#objects.putValue(formatResource(path), path.type, content.value);
      } else if (content.form === 'error' && content.status.code === 404) {
        change = (await this.#objects.removeNotFound(path, before)) === 'removed' ? 'removed' : 'none';
      } else {
        change = 'failed';
      }
    } catch (error) {
      await this.#cloud.refuse(answer, error);
      throw error;
    }
    if (answerNeedsAck(path.type)) await this.#cloud.acknowledge(answer);
    return change;
  }

  /** What was asked in an earlier session says nothing about this one, so only questions of one session are shared. */
  #keyOf(resource: string): string {
    return `${this.#cloud.link.value.session} ${resource}`;
  }

  async #fetch(resource: string): Promise<Fetched> {
    const path = parseResource(resource);
    const before = this.#objects.identity(path);
    const answer = await this.#cloud.ask(
      createMessage({ source: Modules.edged, group: Groups.meta, operation: Operations.query, resource }),
    );
    // The row is the one that was asked for, whatever the answer's route says.
    const change = await this.take({ ...answer, route: { ...answer.route, resource } }, before);
    if (change !== 'failed') this.#freshness.confirm(path);
    return change === 'outdated' ? { change } : { answer, change };
  }
}
