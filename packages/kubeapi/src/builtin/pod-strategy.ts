import { isFields, sameData } from '@edge/protocol';
import { copyData } from '../engine/data.js';
import type { FieldError } from '../errors.js';
import { labelProblem } from '../resource/names.js';
import type { KubeObject } from '../types/object.js';
import type { DeleteOptions } from '../types/requests.js';
import type { ResourceStrategy } from '../types/strategy.js';
import { at, listAt, numberAt, textAt } from './columns.js';
import { defaultPodSpec } from './pod-defaults.js';

const wrong = (field: string, message: string): FieldError => ({ reason: 'FieldValueInvalid', field, message });
const missing = (field: string): FieldError => ({ reason: 'FieldValueRequired', field, message: 'is required' });

/** What is wrong with the spec of a pod or of a template at `path`. */
export function podSpecErrors(spec: unknown, path: string): FieldError[] {
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return [missing(path)];
  const errors: FieldError[] = [];
  if (listAt(spec, 'containers').length === 0) errors.push(missing(`${path}.containers`));
  const volumes = listAt(spec, 'volumes').map((volume) => textAt(volume, 'name'));
  volumes.forEach((name, i) => {
    if (name === '') errors.push(missing(`${path}.volumes[${i}].name`));
    else if (volumes.indexOf(name) !== i) errors.push({ reason: 'FieldValueDuplicate', field: `${path}.volumes[${i}].name`, message: `${name} is there twice` });
  });
  const names = new Set<string>();
  for (const list of ['initContainers', 'containers']) {
    for (const [i, container] of listAt(spec, list).entries()) {
      const field = `${path}.${list}[${i}]`;
      const name = textAt(container, 'name');
      const problem = name === '' ? 'is required' : labelProblem(name);
      if (problem !== undefined) errors.push(wrong(`${field}.name`, problem));
      if (names.has(name)) errors.push({ reason: 'FieldValueDuplicate', field: `${field}.name`, message: `${name} is there twice` });
      names.add(name);
      if (textAt(container, 'image') === '') errors.push(missing(`${field}.image`));
      for (const [m, mount] of listAt(container, 'volumeMounts').entries()) {
        const volume = textAt(mount, 'name');
        if (!volumes.includes(volume)) errors.push(wrong(`${field}.volumeMounts[${m}].name`, `there is no volume ${JSON.stringify(volume)}`));
        if (textAt(mount, 'mountPath') === '') errors.push(missing(`${field}.volumeMounts[${m}].mountPath`));
      }
    }
  }
  const restart = at(spec, 'restartPolicy');
  if (restart !== undefined && !['Always', 'OnFailure', 'Never'].includes(String(restart))) {
    errors.push({ reason: 'FieldValueNotSupported', field: `${path}.restartPolicy`, message: `must be Always, OnFailure or Never, is ${JSON.stringify(restart)}` });
  }
  return errors;
}

/** A pod's spec without what may change during its life. */
function fixedPart(pod: KubeObject, current: KubeObject): unknown {
  if (!isFields(pod.spec)) return pod.spec;
  const spec = copyData(pod.spec);
  // The stored pod may be from before a default was known.
  defaultPodSpec(spec);
  for (const list of ['containers', 'initContainers']) {
    for (const container of listAt(spec, list)) delete (container as Record<string, unknown>).image;
  }
  for (const field of ['activeDeadlineSeconds', 'tolerations', 'terminationGracePeriodSeconds', 'ephemeralContainers', 'schedulingGates']) delete spec[field];
  // A pod without a node may get one; after that it stays where it is.
  if (textAt(current, 'spec', 'nodeName') === '') delete spec.nodeName;
  return spec;
}

/** Guaranteed, Burstable or BestEffort, from requests and limits of cpu and memory. */
export function qosClass(pod: KubeObject): string {
  const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')];
  const value = (container: unknown, kind: string, name: string): unknown => at(container, 'resources', kind, name);
  const names = ['cpu', 'memory'];
  const any = containers.some((c) => names.some((n) => value(c, 'limits', n) !== undefined || value(c, 'requests', n) !== undefined));
  if (!any) return 'BestEffort';
  const all = containers.every((c) => names.every((n) => {
    const limit = value(c, 'limits', n);
    const request = value(c, 'requests', n);
    return limit !== undefined && (request === undefined || request === limit);
  }));
  return all ? 'Guaranteed' : 'Burstable';
}

function gracePeriod(pod: KubeObject, options: DeleteOptions): number {
  // Nobody runs it, or nothing of it runs any more: no time is needed.
  if (textAt(pod, 'spec', 'nodeName') === '') return 0;
  if (['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase'))) return 0;
  if (options.gracePeriodSeconds !== undefined) return Math.max(0, options.gracePeriodSeconds);
  return at(pod, 'spec', 'terminationGracePeriodSeconds') === undefined ? 30 : numberAt(pod, 'spec', 'terminationGracePeriodSeconds');
}

export const podStrategy: ResourceStrategy = {
  setDefaults(pod) {
    defaultPodSpec(pod.spec);
    const spec = pod.spec as Record<string, unknown> | undefined;
    if (typeof spec === 'object' && spec !== null && spec.enableServiceLinks === undefined) spec.enableServiceLinks = true;
  },
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: qosClass(pod) };
  },
  validate: (pod) => podSpecErrors(pod.spec, 'spec'),
  validateUpdate(next, current) {
    return sameData(fixedPart(next, current), fixedPart(current, current)) ? [] : [{
      reason: 'FieldValueForbidden', field: 'spec',
      message: 'only images, activeDeadlineSeconds, terminationGracePeriodSeconds and tolerations of a pod may change',
    }];
  },
  gracePeriodSeconds: gracePeriod,
};
