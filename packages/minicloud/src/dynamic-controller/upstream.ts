import { errorText, type Logger } from '@edge/core';
import { isFields, type Message } from '@edge/protocol';
import { readObject } from '../edge-controller/content.js';
import { minicloudError, MinicloudErrors } from '../errors.js';
import { type ApiCaller, ApiRefusal } from './api-caller.js';
import { requestOf } from './api-request.js';
import { type Application, applicationReply, approved, readApplication, rejected, syncReply } from './application.js';
import type { Listeners } from './listeners.js';

/** Ends the resource of the message with which a node names all its watches. */
const WATCH_SYNC = 'watchapp/sync';

/** Handles what the local APIs of nodes ask of the cloud's API. Whoever has a link may ask everything, as with CloudCore's defaults. */
export class DynamicUpstream {
  readonly #api: ApiCaller;
  readonly #listeners: Listeners;
  readonly #log: Logger;

  constructor(deps: { api: ApiCaller; listeners: Listeners; log: Logger }) {
    this.#api = deps.api;
    this.#listeners = deps.listeners;
    this.#log = deps.log;
  }

  /** The answer to a message. Rejects when it cannot be read. */
  async handle(node: string, message: Message): Promise<Message> {
    if (message.route.resource.endsWith(WATCH_SYNC)) return syncReply(message, await this.#sync(node, readObject(message.content)));
    const application = readApplication(message.content, node);
    return applicationReply(message, await this.#answer(application));
  }

  async #answer(application: Application): Promise<Application> {
    const { Verb, Key, Nodename: node } = application;
    try {
      if (Verb === 'watch') {
        await this.#listeners.add(application);
        return approved(application, undefined);
      }
      const text = await this.#ask(application);
      return approved(application, Verb === 'delete' ? undefined : text.trimEnd());
    } catch (error) {
      const refused = rejected(application, error);
      this.#log.verbose(1, 'a request of a node to the API was refused', { node, verb: Verb, key: Key.slice(0, 300), err: refused.Reason || String(error) });
      return refused;
    }
  }

  async #ask(application: Application): Promise<string> {
    try {
      return await this.#api.call(requestOf(application));
    } catch (error) {
      // CloudCore wraps what goes wrong with a list, and only the words are left of it.
      if (application.Verb !== 'list') throw error;
      throw minicloudError(MinicloudErrors.notDone, `get current list error: ${wordsOf(error)}`, error);
    }
  }

  /** Begins the watches that are missing and ends those that the node does not name. */
  async #sync(node: string, wanted: Readonly<Record<string, unknown>>): Promise<Record<string, Application>> {
    for (const id of this.#listeners.ids(node)) if (!Object.hasOwn(wanted, id)) this.#listeners.remove(node, id);
    const failed: Record<string, Application> = {};
    await Promise.all(Object.entries(wanted).map(async ([id, given]) => {
      if (!isFields(given)) return;
      const application = { ...readApplication(given, node), ID: id };
      const answer = await this.#answer({ ...application, Verb: 'watch' });
      if (answer.Status === 'Rejected') failed[id] = answer;
    }));
    return failed;
  }
}

/** In Kubernetes' words where agents tell by them what happened. */
function wordsOf(error: unknown): string {
  return error instanceof ApiRefusal && error.toStatus().code === 404 ? 'the server could not find the requested resource' : errorText(error);
}
