import type { StructuralSchema } from '@edge/kubeapi';
import { list, number, object, text, texts } from './schema-terms.js';

/** Schemas of rules: the fields and checks of KubeEdge's definitions, described in our words. */

export const ruleEndpointSchema: StructuralSchema = object({
  spec: object({
    ruleEndpointType: { ...text('rest (HTTP in the cloud), eventbus (MQTT on a node) or servicebus (HTTP on a node).'), enum: ['rest', 'eventbus', 'servicebus'] },
    properties: texts('For servicebus: service_port, the port of the service on the node.'),
  }, 'The place.', ['ruleEndpointType']),
}, 'A place that rules carry messages from or to.', ['spec']);

export const ruleSchema: StructuralSchema = object({
  spec: object({
    source: text('Name of the RuleEndpoint that messages come from.'),
    sourceResource: texts('Which ones. rest: path. eventbus: topic and node_name. servicebus: target_url and node_name.'),
    target: text('Name of the RuleEndpoint that they go to.'),
    targetResource: texts('Where there. rest: resource, a URL. eventbus: topic. servicebus: path.'),
  }, 'The way.', ['source', 'sourceResource', 'target', 'targetResource']),
  status: object({
    successMessages: number('Messages that arrived.'),
    failMessages: number('Messages that did not.'),
    errors: list(text(), 'The last reasons.'),
  }, 'What came of it.'),
}, 'Carries messages between the cloud and nodes.', ['spec']);
