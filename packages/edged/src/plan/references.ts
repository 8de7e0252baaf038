import type { ConfigMap, Container, Pod, Secret, Volume } from '@edge/protocol';

/** A ConfigMap or Secret that a pod refers to, in the pod's namespace. */
export interface ObjectReference {
  readonly kind: 'configmap' | 'secret';
  readonly name: string;
  /** The pod does without it. */
  readonly optional?: boolean;
}

/** Objects at hand; absent keys are objects that do not exist. */
export type ObjectLookup = ReadonlyMap<string, ConfigMap | Secret>;

export const objectKey = ({ kind, name }: ObjectReference): string => `${kind}/${name}`;

interface Named {
  name?: string;
  optional?: boolean;
}

/** What brings the files of a volume. Several for projected ones. */
export function volumeReferences(volume: Volume): ObjectReference[] {
  const { configMap, secret, projected } = volume;
  const parts = (projected?.sources ?? []) as { configMap?: Named; secret?: Named }[];
  return [
    ...reference('configmap', configMap),
    ...reference('secret', secret && { ...secret, name: secret.secretName ?? '' }),
    ...parts.flatMap((part) => [...reference('configmap', part.configMap), ...reference('secret', part.secret)]),
  ];
}

export function environmentReferences(container: Container): ObjectReference[] {
  return unique([
    ...(container.envFrom ?? []).flatMap((from) => [...reference('configmap', from.configMapRef), ...reference('secret', from.secretRef)]),
    ...(container.env ?? []).flatMap(({ valueFrom }) => [
      ...reference('configmap', valueFrom?.configMapKeyRef),
      ...reference('secret', valueFrom?.secretKeyRef),
    ]),
  ]);
}

/** Everything a pod refers to: its volumes, the environment of all its containers, and with what its images are pulled. */
export function podReferences(pod: Pod): ObjectReference[] {
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])];
  return unique([
    ...(pod.spec.volumes ?? []).flatMap(volumeReferences),
    ...containers.flatMap(environmentReferences),
    ...(pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => reference('secret', { name, optional: true })),
  ]);
}

function reference(kind: ObjectReference['kind'], named: Named | undefined): ObjectReference[] {
  if (!named?.name) return [];
  return [{ kind, name: named.name, ...(named.optional ? { optional: true } : {}) }];
}

/** One of each; needed once is needed. */
function unique(references: readonly ObjectReference[]): ObjectReference[] {
  const found = new Map<string, ObjectReference>();
  for (const one of references) {
    const key = objectKey(one);
    if (!found.has(key) || !one.optional) found.set(key, one);
  }
  return [...found.values()];
}
