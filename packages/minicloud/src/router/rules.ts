import type { KubeObject } from '@edge/kubeapi';

/** Where the store keeps rules and the places between which they carry. */
export const RULES = 'rules.kubeedge.io/rules';
export const RULE_ENDPOINTS = 'rules.kubeedge.io/ruleendpoints';
export const RULE_API = 'rules.kubeedge.io/v1';

export type EndpointType = 'rest' | 'eventbus' | 'servicebus';

export interface StoredRuleEndpoint extends KubeObject {
  spec: { ruleEndpointType: EndpointType; properties?: Record<string, string> };
}

export interface StoredRule extends KubeObject {
  spec: { source: string; sourceResource: Record<string, string>; target: string; targetResource: Record<string, string> };
  status?: { successMessages?: number; failMessages?: number; errors?: string[] };
}

interface OfRule {
  /** `namespace/name` of the rule. */
  readonly rule: string;
}

/** A rule whose requests come from the cloud's REST listener. */
export interface RestRule extends OfRule {
  readonly from: 'rest';
  readonly namespace: string;
  /** Without a slash in front and behind. */
  readonly path: string;
  readonly to: { readonly kind: 'eventbus'; readonly topic: string } | { readonly kind: 'servicebus'; readonly port: string; readonly path: string };
}

/** A rule whose messages come from a node. */
export interface NodeRule extends OfRule {
  readonly from: 'eventbus' | 'servicebus';
  readonly node: string;
  /** What the node's messages have as resource: topic below the namespace, or URL. */
  readonly resource: string;
  /** Where the content is posted. */
  readonly url: string;
}

export type ActiveRule = RestRule | NodeRule;

/** What a rule does with these places; undefined while one is missing or they do not fit. */
export function resolveRule(rule: StoredRule, endpoint: (name: string) => StoredRuleEndpoint | undefined): ActiveRule | undefined {
  const { namespace = '', name } = rule.metadata;
  const source = endpoint(rule.spec.source);
  const target = endpoint(rule.spec.target);
  if (!source || !target) return undefined;
  const { sourceResource: from, targetResource: to } = rule.spec;
  const key = `${namespace}/${name}`;
  const [type, targetType] = [source.spec.ruleEndpointType, target.spec.ruleEndpointType];
  if (type === 'rest') {
    const common = { rule: key, from: type, namespace, path: (from['path'] ?? '').replace(/^\//, '').replace(/\/$/, '') } as const;
    if (targetType === 'eventbus') return { ...common, to: { kind: 'eventbus', topic: to['topic'] ?? '' } };
    if (targetType === 'servicebus') return { ...common, to: { kind: 'servicebus', port: target.spec.properties?.['service_port'] ?? '', path: to['path'] ?? '' } };
    return undefined;
  }
  if (targetType !== 'rest') return undefined;
  const common = { rule: key, node: from['node_name'] ?? '', url: to['resource'] ?? '' };
  return type === 'eventbus'
    ? { ...common, from: type, resource: cleaned(`${namespace}/${from['topic'] ?? ''}`) }
    : { ...common, from: type, resource: from['target_url'] ?? '' };
}

/** A path as Go's `path.Join` leaves it: the form in which topics go to nodes, and URLs that end. */
export function cleaned(path: string): string {
  const rooted = path.startsWith('/');
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '' || step === '.') continue;
    if (step === '..' && steps.length > 0 && steps.at(-1) !== '..') steps.pop();
    else if (step !== '..' || !rooted) steps.push(step);
  }
  return `${rooted ? '/' : ''}${steps.join('/')}`;
}
