import type { Minicloud } from '../src/index.js';

export interface RuleParts {
  readonly name: string;
  readonly from: readonly [endpoint: string, resource: Record<string, string>];
  readonly to: readonly [endpoint: string, resource: Record<string, string>];
}

type Client<T = Record<string, unknown>> = ReturnType<typeof clientOf<T>>;

function clientOf<T>(cloud: Minicloud, plural: string): ReturnType<typeof cloud.api.resource<T>> {
  return cloud.api.resource<T>('rules.kubeedge.io/v1', plural);
}

export interface RuleBench {
  readonly endpoint: (name: string, type: string, properties?: Record<string, string>) => Promise<unknown>;
  readonly rule: (parts: RuleParts) => Promise<unknown>;
  readonly endpoints: () => Client;
  readonly rules: () => Client<{ metadata: { name: string }; status?: { successMessages: number; failMessages: number; errors: string[] } }>;
  readonly end: (name: string) => Promise<unknown>;
}

/** Endpoints of each type, `service` for the port, and ways to make and end rules. */
export async function ruleBench(cloud: () => Minicloud, servicePort = '9070'): Promise<RuleBench> {
  const endpoints = (): Client => clientOf(cloud(), 'ruleendpoints');
  const rules: RuleBench['rules'] = () => clientOf(cloud(), 'rules');
  const endpoint: RuleBench['endpoint'] = (name, ruleEndpointType, properties) =>
    endpoints().create({ apiVersion: 'rules.kubeedge.io/v1', kind: 'RuleEndpoint', metadata: { name, namespace: 'default' }, spec: { ruleEndpointType, ...(properties ? { properties } : {}) } } as never);
  const rule: RuleBench['rule'] = ({ name, from, to }) =>
    rules().create({ apiVersion: 'rules.kubeedge.io/v1', kind: 'Rule', metadata: { name, namespace: 'default' }, spec: { source: from[0], sourceResource: from[1], target: to[0], targetResource: to[1] } } as never);
  await endpoint('web', 'rest');
  await endpoint('mqtt', 'eventbus');
  await endpoint('service', 'servicebus', { service_port: servicePort });
  return { endpoint, rule, endpoints, rules, end: (name: string) => rules().delete(name, 'default') };
}
