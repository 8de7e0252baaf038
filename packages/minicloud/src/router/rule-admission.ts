import { invalid, type AdmissionHook, type FieldError, type ObjectStore } from '@edge/kubeapi';
import { RULE_ENDPOINTS, RULES, type EndpointType, type StoredRule, type StoredRuleEndpoint } from './rules.js';

/**
 * From where to where a rule may go. CloudCore's check does not know the last one, though its router carries it: clusters without
 * that check have such rules, and it is the only way from a program on a node to the cloud.
 */
const WAYS: readonly (readonly [EndpointType, EndpointType])[] = [['rest', 'eventbus'], ['rest', 'servicebus'], ['eventbus', 'rest'], ['servicebus', 'rest']];

const SOURCE_KEYS: Readonly<Record<EndpointType, readonly string[]>> = { rest: ['path'], eventbus: ['topic', 'node_name'], servicebus: ['target_url', 'node_name'] };
const TARGET_KEYS: Readonly<Record<EndpointType, readonly string[]>> = { rest: ['resource'], eventbus: ['topic'], servicebus: ['path'] };

/** A place of type servicebus names the port of the service. */
export const ruleEndpointRules: AdmissionHook = {
  name: 'rule-endpoints', resources: [RULE_ENDPOINTS], operations: ['create', 'update'],
  validate({ type, object }) {
    const { spec, metadata } = object as unknown as StoredRuleEndpoint;
    if (spec.ruleEndpointType !== 'servicebus') return;
    const port = spec.properties?.['service_port'];
    if (port !== undefined && /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535) return;
    const what = port === undefined ? 'a servicebus endpoint needs it: the port of the service on the node' : `"${port}" is no port from 1 to 65535`;
    throw invalid({ kind: type.kind, group: type.group, name: metadata.name }, [{ reason: 'FieldValueInvalid', field: 'spec.properties.service_port', message: what }]);
  },
};

/** A rule's places are there, fit each other, and nobody else has the same source. */
export function ruleRules(store: () => ObjectStore): AdmissionHook {
  return {
    name: 'rules', resources: [RULES], operations: ['create', 'update'],
    validate({ type, object, ref }) {
      const rule = object as unknown as StoredRule;
      const namespace = rule.metadata.namespace ?? ref.namespace ?? '';
      const errors = problems(rule, (name) => store().get({ resource: RULE_ENDPOINTS, namespace, name }) as unknown as StoredRuleEndpoint | undefined,
        store().list({ resource: RULES, namespace }).items as unknown as StoredRule[]);
      if (errors.length > 0) throw invalid({ kind: type.kind, group: type.group, name: rule.metadata.name }, errors);
    },
  };
}

function problems(rule: StoredRule, endpoint: (name: string) => StoredRuleEndpoint | undefined, others: readonly StoredRule[]): FieldError[] {
  const { source, target, sourceResource, targetResource } = rule.spec;
  const [from, to] = [endpoint(source)?.spec.ruleEndpointType, endpoint(target)?.spec.ruleEndpointType];
  const errors: FieldError[] = [];
  if (from === undefined) errors.push(invalidField('spec.source', `RuleEndpoint "${source}" has not been created`));
  if (to === undefined) errors.push(invalidField('spec.target', `RuleEndpoint "${target}" has not been created`));
  if (from === undefined || to === undefined) return errors;
  if (!WAYS.some((way) => way[0] === from && way[1] === to)) return [invalidField('spec.target', `no rule leads from ${from} to ${to}`)];
  for (const key of SOURCE_KEYS[from]) if (sourceResource[key] === undefined) errors.push(invalidField(`spec.sourceResource.${key}`, `a source of type ${from} needs it`));
  for (const key of TARGET_KEYS[to]) if (targetResource[key] === undefined) errors.push(invalidField(`spec.targetResource.${key}`, `a target of type ${to} needs it`));
  const keys = SOURCE_KEYS[from];
  const same = others.find((other) => other.metadata.name !== rule.metadata.name && keys.every((key) => other.spec.sourceResource[key] === sourceResource[key]));
  if (errors.length === 0 && same) errors.push({ reason: 'FieldValueDuplicate', field: 'spec.sourceResource', message: `rule "${same.metadata.name}" has the same source` });
  return errors;
}

function invalidField(field: string, message: string): FieldError {
  return { reason: 'FieldValueInvalid', field, message };
}
