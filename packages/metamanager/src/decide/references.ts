import { formatResource, ResourceTypes, type Pod } from '@edge/protocol';

interface NamedReference {
  readonly name?: string;
}
interface ProjectedSource {
  readonly configMap?: NamedReference;
  readonly secret?: NamedReference;
}
/** Sources of volumes that name a secret, beside `secret` itself; field → member that holds the reference. */
const SECRET_REFERENCES = ['secretRef', 'nodePublishSecretRef', 'controllerPublishSecretRef'] as const;

/** Resources (`NS/configmap/NAME`, `NS/secret/NAME`) that a pod needs to run; none for a pod that has ended. Sorted. */
export function referencesOf(pod: Pod): string[] {
  const namespace = pod.metadata?.namespace || 'default';
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return [];
  const found = new Set<string>();
  const add = (type: string, name: string | undefined): void => {
    if (name) found.add(formatResource({ namespace, type, name }));
  };
  const configMap = (reference: NamedReference | undefined): void => add(ResourceTypes.configMap, reference?.name);
  const secret = (reference: NamedReference | undefined): void => add(ResourceTypes.secret, reference?.name);

  const spec = pod.spec ?? {};
  for (const volume of list(spec.volumes)) {
    configMap(volume.configMap);
    add(ResourceTypes.secret, volume.secret?.secretName);
    for (const source of list(volume.projected?.sources as ProjectedSource[] | undefined)) {
      configMap(source.configMap);
      secret(source.secret);
    }
    for (const source of Object.values(volume)) {
      if (typeof source !== 'object' || source === null) continue;
      for (const member of SECRET_REFERENCES) secret((source as Record<string, NamedReference | undefined>)[member]);
    }
  }
  const containers = [spec.containers, spec.initContainers, spec['ephemeralContainers'] as typeof spec.containers | undefined];
  for (const container of containers.flatMap(list)) {
    for (const source of list(container.envFrom)) {
      configMap(source.configMapRef);
      secret(source.secretRef);
    }
    for (const variable of list(container.env)) {
      configMap(variable.valueFrom?.configMapKeyRef);
      secret(variable.valueFrom?.secretKeyRef);
    }
  }
  for (const reference of list(spec.imagePullSecrets)) secret(reference);
  return [...found].sort();
}

/** Pods come from outside: a member that is no list counts as empty, an item that is no object is skipped. */
function list<T>(value: readonly T[] | undefined | null): T[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}
