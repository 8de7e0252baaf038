import type { Minicloud } from '../src/index.js';

export interface RuleParts {
  readonly name: string;
  readonly from: readonly [endpoint: string, resource: Record<string, string>];
  readonly to: readonly [endpoint: string, resource: Record<string, string>];
}

/** Endpoints of each type, `service` for the port, and ways to make and end rules. */
export async function ruleBench(cloud: () => Minicloud, servicePort = '9070') {
  const endpoints = () => cloud().api.resource('rules.kubeedge.io/v1', 'ruleendpoints');
  const rules = () => cloud().api.resource<{ metadata: { name: string }; status?: { successMessages: number; failMessages: number; errors: string[] } }>('rules.kubeedge.io/v1', 'rules');
  const endpoint = (name: string, ruleEndpointType: string, properties?: Record<string, string>) =>
    endpoints().create({ apiVersion: 'rules.kubeedge.io/v1', kind: 'RuleEndpoint', metadata: { name, namespace: 'default' }, spec: { ruleEndpointType, ...(properties ? { properties } : {}) } } as never);
  const rule = ({ name, from, to }: RuleParts) =>
    rules().create({ apiVersion: 'rules.kubeedge.io/v1', kind: 'Rule', metadata: { name, namespace: 'default' }, spec: { source: from[0], sourceResource: from[1], target: to[0], targetResource: to[1] } } as never);
  await endpoint('web', 'rest');
  await endpoint('mqtt', 'eventbus');
  await endpoint('service', 'servicebus', { service_port: servicePort });
  return { endpoint, rule, endpoints, rules, end: (name: string) => rules().delete(name, 'default') };
}
