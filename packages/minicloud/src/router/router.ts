import { setMaxListeners } from 'node:events';
import { errorText, isAbort, type Logger } from '@edge/core';
import type { ObjectStore, ResourceClient } from '@edge/kubeapi';
import { createErrorResponse, createResponse, type Message } from '@edge/protocol';
import type { ListenAddress } from '../net.js';
import { Calls, words, type RestAnswer, type RestRequest } from './calls.js';
import { ruleFor } from './match.js';
import { post } from './post.js';
import { Posts } from './posts.js';
import { RestListener } from './rest-listener.js';
import { RuleBook } from './rule-book.js';
import { RuleStatus } from './rule-status.js';
import type { NodeRule, StoredRule } from './rules.js';

export interface RouterDeps {
  readonly store: ObjectStore;
  readonly rules: ResourceClient<StoredRule>;
  /** Sends to a node. False: it is away. */
  readonly push: (node: string, message: Message) => boolean;
  /** For a service on a node, and for an application in the cloud. */
  readonly timeoutMs: number;
  /** Between the attempts of one request. */
  readonly pauseMs: number;
  readonly log: Logger;
}

const WAITING_BYTES = 32 * 1024 * 1024;
/** Programs on nodes wait for these; messages of MQTT keep their order. */
const AT_A_TIME: Readonly<Record<NodeRule['from'], number>> = { servicebus: 32, eventbus: 1 };

/** CloudCore's router: carries messages between REST clients and applications in the cloud and what is on nodes, by rules. */
export class Router {
  readonly #deps: RouterDeps;
  readonly #book: RuleBook;
  readonly #calls: Calls;
  readonly #status: RuleStatus;
  readonly #listener: RestListener;
  readonly #posts = new Map<string, Posts>();
  readonly #ended = new AbortController();

  constructor(deps: RouterDeps) {
    // Each post under way listens to it.
    setMaxListeners(0, this.#ended.signal);
    this.#deps = deps;
    this.#book = new RuleBook(deps);
    this.#calls = new Calls(deps);
    this.#status = new RuleStatus(deps);
    this.#listener = new RestListener({ serve: (request, signal) => this.#serve(request, signal), log: deps.log });
  }

  /** Resolves with the port of the REST listener. @throws EdgeError `minicloud.listen-failed` */
  async start(address: ListenAddress): Promise<number> {
    this.#book.start();
    return this.#listener.listen(address);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#book.stop();
    await this.#listener.close();
    await Promise.all([...this.#posts.values()].map((posts) => posts.stop()));
    await this.#status.stop();
  }

  /** Tells a node that has just connected what to listen to. */
  connected(node: string): void {
    this.#book.connected(node);
  }

  /** Takes a message of a node: an answer of a service, or something for an application. Does not wait. */
  handle(node: string, message: Message): void {
    if (message.header.parentId !== undefined) return this.#calls.answered(node, message);
    const from = message.route.source === 'servicebus' ? 'servicebus' : 'eventbus';
    const rules = this.#book.ofNode(node, from, message.route.resource);
    if (rules.length === 0) {
      this.#deps.log.verbose(2, 'no rule is for this message', { node, from, resource: message.route.resource.slice(0, 200) });
      if (from === 'servicebus') this.#deps.push(node, createErrorResponse(message, `the cloud has no rule for ${message.route.resource.slice(0, 200)}`));
    }
    for (const rule of rules) this.#post(node, rule, message);
  }

  async #serve(request: RestRequest, signal: AbortSignal): Promise<RestAnswer> {
    const rule = ruleFor(this.#book.rest, request.uri);
    if (!rule) return words(404, `no rule is for ${request.uri.split('?', 1)[0]}; a rule's path follows /<node>/<namespace>`);
    const answer = await this.#calls.carry(rule, request, (why) => this.#status.count(rule.rule, why), signal);
    if (answer.status === 200) this.#status.count(rule.rule);
    return answer;
  }

  #post(node: string, rule: NodeRule, message: Message): void {
    const { timeoutMs, push } = this.#deps;
    const content = typeof message.content === 'string' ? message.content : JSON.stringify(message.content);
    const posts = this.#posts.get(rule.rule) ?? new Posts({ running: AT_A_TIME[rule.from], waitingBytes: WAITING_BYTES });
    this.#posts.set(rule.rule, posts);
    const fail = (why: string): void => {
      this.#status.count(rule.rule, why);
      if (rule.from === 'servicebus') push(node, createErrorResponse(message, why));
    };
    const work = async (): Promise<void> => {
      try {
        const { text } = await post(rule.url, content, timeoutMs, this.#ended.signal);
        this.#status.count(rule.rule);
        if (rule.from === 'servicebus') push(node, createResponse(message, text));
      } catch (error) {
        if (!isAbort(error)) fail(errorText(error));
      } finally {
        // A rule that is gone leaves nothing behind.
        if (posts.last) this.#posts.delete(rule.rule);
      }
    };
    posts.add(work, content.length, () => fail(`${rule.url} is too slow: too much waits for it`));
  }
}
