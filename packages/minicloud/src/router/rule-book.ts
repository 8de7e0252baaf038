import type { ObjectStore } from '@edge/kubeapi';
import type { Message } from '@edge/protocol';
import { follow, listAll } from '../controllers/controller.js';
import { beginMessage, endMessage, interestsOf, type Interest } from './interests.js';
import { resolveRule, RULE_ENDPOINTS, RULES, type ActiveRule, type NodeRule, type RestRule, type StoredRule, type StoredRuleEndpoint } from './rules.js';

export interface RuleBookDeps {
  readonly store: ObjectStore;
  /** Sends to a node; nothing happens while it is away. */
  readonly push: (node: string, message: Message) => void;
}

/** The rules as they are now. Tells nodes what to listen to, whenever that changes and with each connect. */
export class RuleBook {
  readonly #deps: RuleBookDeps;
  #stops: (() => void)[] = [];
  #rules: readonly ActiveRule[] = [];
  #interests = new Map<string, Interest>();
  #dirty = false;

  constructor(deps: RuleBookDeps) {
    this.#deps = deps;
  }

  start(): void {
    this.#read();
    this.#stops = [RULES, RULE_ENDPOINTS].map((resource) => follow(this.#deps.store, resource, (_object, event) => event && this.#later()));
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  get rest(): readonly RestRule[] {
    return this.#rules.filter((rule) => rule.from === 'rest');
  }

  /** The rules for a message of a node. */
  ofNode(node: string, from: NodeRule['from'], resource: string): readonly NodeRule[] {
    return this.#rules.filter((rule) => rule.from === from && rule.node === node && rule.resource === resource) as NodeRule[];
  }

  /** A node that was away has missed what was said meanwhile; CloudCore leaves it at that. */
  connected(node: string): void {
    for (const interest of this.#interests.values()) if (interest.node === node) this.#deps.push(node, beginMessage(interest));
  }

  /** A burst of changes is one reading. */
  #later(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    queueMicrotask(() => {
      this.#dirty = false;
      if (this.#stops.length > 0) this.#read();
    });
  }

  #read(): void {
    const { store, push } = this.#deps;
    const endpoint = (namespace: string) => (name: string) => store.get({ resource: RULE_ENDPOINTS, namespace, name }) as unknown as StoredRuleEndpoint | undefined;
    this.#rules = listAll<StoredRule>(store, RULES)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .flatMap((rule) => resolveRule(rule, endpoint(rule.metadata.namespace ?? '')) ?? []);
    const before = this.#interests;
    this.#interests = interestsOf(this.#rules);
    for (const [key, interest] of before) if (!this.#interests.has(key)) push(interest.node, endMessage(interest));
    for (const [key, interest] of this.#interests) if (!before.has(key)) push(interest.node, beginMessage(interest));
  }
}
