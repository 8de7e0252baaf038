import type { NodeSelectorRequirement, NodeSelectorTerm, Pod } from '@edge/protocol';

type Labels = Readonly<Record<string, string>>;

/** True when the pod's node selector and its required node affinity admit a node of this name with these labels. */
export function fitsNode(pod: Pod, nodeName: string, labels: Labels): boolean {
  const { nodeSelector = {}, affinity } = pod.spec;
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) return false;
  const required = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  // Terms are alternatives; what is required without naming any is required of nobody.
  return required === undefined || required.nodeSelectorTerms.some((term) => fitsTerm(term, nodeName, labels));
}

function fitsTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, nodeName: string, labels: Labels): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return matchExpressions.every((one) => meets(one, labels[one.key])) && matchFields.every((one) => one.key === 'metadata.name' && meets(one, nodeName));
}

/** An operator that nobody knows is met by no value. */
function meets({ operator, values = [] }: NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      const [have, bound] = [value, values[0]].map(wholeNumber);
      if (have === undefined || bound === undefined) return false;
      return operator === 'Gt' ? have > bound : have < bound;
    }
    default:
      return false;
  }
}

function wholeNumber(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined;
}
