import type { ConfigMap, Container, EnvVar, Pod, Secret } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { expand } from './expand.js';
import { fieldValue, resourceValue, type PodFacts } from './pod-fields.js';
import { objectKey, type ObjectLookup } from './references.js';

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  /** What `environmentReferences` names, as far as it exists. */
  readonly objects: ObjectLookup;
  readonly facts: PodFacts;
}

/** Names that the API accepts in `envFrom`, by its rules of 1.32: printable and without `=`. Others are left out. */
const NAME = /^[ -<>-~]+$/;

/**
 * The environment of a container: `envFrom` in order, then `env`; what comes later wins, `$(NAME)` sees what came before.
 * Where the API is comes first: a pod may say otherwise, and `$(KUBERNETES_SERVICE_HOST)` sees it.
 * @throws EdgeError `edged.container-config` when something that is not optional is missing
 */
export function containerEnvironment(input: EnvironmentInput): Map<string, string> {
  const { localApi } = input.facts;
  const env = new Map<string, string>(localApi ? [['KUBERNETES_SERVICE_HOST', localApi.host], ['KUBERNETES_SERVICE_PORT', localApi.port]] : []);
  for (const { prefix = '', configMapRef, secretRef } of input.container.envFrom ?? []) {
    const reference = configMapRef ?? secretRef;
    if (!reference) continue;
    const kind = configMapRef ? 'configmap' : 'secret';
    const object = input.objects.get(objectKey({ kind, name: reference.name }));
    if (!object) {
      if (reference.optional === true) continue;
      throw missingObject(kind, reference.name);
    }
    for (const [key, value] of Object.entries(textData(kind, object))) {
      if (NAME.test(prefix + key)) env.set(prefix + key, value);
    }
  }
  for (const variable of input.container.env ?? []) {
    const value = valueOf(variable, input, env);
    if (value !== undefined) env.set(variable.name, value);
  }
  return env;
}

function valueOf(variable: EnvVar, input: EnvironmentInput, env: ReadonlyMap<string, string>): string | undefined {
  const { valueFrom } = variable;
  if (!valueFrom) return expand(variable.value ?? '', (name) => env.get(name));
  if (valueFrom.fieldRef) return fieldValue(input.pod, valueFrom.fieldRef.fieldPath, input.facts);
  if (valueFrom.resourceFieldRef) {
    const { containerName, resource, divisor } = valueFrom.resourceFieldRef;
    return resourceValue(namedContainer(input, containerName), resource, divisor, input.facts);
  }
  const reference = valueFrom.configMapKeyRef ?? valueFrom.secretKeyRef;
  if (!reference) return '';
  const kind = valueFrom.configMapKeyRef ? 'configmap' : 'secret';
  const object = input.objects.get(objectKey({ kind, name: reference.name }));
  const value = object && textData(kind, object)[reference.key];
  if (value !== undefined || reference.optional === true) return value;
  if (!object) throw missingObject(kind, reference.name);
  const label = kind === 'configmap' ? 'ConfigMap' : 'Secret';
  throw edgedError('edged.container-config', `couldn't find key ${reference.key} in ${label} ${input.pod.metadata.namespace}/${reference.name}`);
}

function namedContainer({ pod, container }: EnvironmentInput, name: string | undefined): Container {
  if (!name) return container;
  const found = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find((other) => other.name === name);
  if (!found) throw edgedError('edged.container-config', `container ${name} not found`);
  return found;
}

function missingObject(kind: string, name: string): Error {
  return edgedError('edged.container-config', `${kind} "${name}" not found`);
}

function textData(kind: 'configmap' | 'secret', object: ConfigMap | Secret): Record<string, string> {
  const data = object.data ?? {};
  if (kind === 'configmap') return data;
  return Object.fromEntries(Object.entries(data).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString('utf8')]));
}
