import { createHash } from 'node:crypto';
import type { Pod } from '@edge/protocol';
import { parse } from 'yaml';
import { edgedError } from '../errors.js';
import { sortedJson } from '../plan/sorted-json.js';
import { parseQuantity } from '../plan/quantity.js';
import { isPod } from '../pods/pod-list.js';
import { SourceAnnotations } from '../policy/standing.js';
import { withPodDefaults } from './pod-defaults.js';

const LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const POLICIES = ['Always', 'OnFailure', 'Never'];

export interface ManifestInput {
  /** Yaml or JSON, one pod. */
  readonly text: string;
  /** Where it stands; part of the pod's identity. */
  readonly path: string;
  readonly nodeName: string;
}

/**
 * The pod that a file defines, as this node runs it: with the node in its name, defaults, and a uid that follows from what
 * the file says. Pure.
 * @throws EdgeError `edged.manifest` saying what is wrong
 */
export function readManifest({ text, path, nodeName }: ManifestInput): Pod {
  const given = check(readYaml(text));
  const uid = given.metadata.uid ?? createHash('sha256').update(sortedJson(given)).update(`host:${nodeName}`).update(`file:${path}`).digest('hex').slice(0, 32);
  const name = `${given.metadata.name}-${nodeName.toLowerCase()}`;
  if (!SUBDOMAIN.test(name) || name.length > 253) throw bad(`with the node's name the pod is called "${name}", which is no name for a pod`);
  const forever = { operator: 'Exists', effect: 'NoExecute' };
  const { tolerations = [] } = given.spec;
  const hasForever = tolerations.some(({ key, operator, effect }) => !key && operator === 'Exists' && (effect ?? 'NoExecute') === 'NoExecute');
  return withPodDefaults({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...given.metadata,
      name,
      namespace: given.metadata.namespace ?? 'default',
      uid,
      annotations: { ...given.metadata.annotations, [SourceAnnotations.hash]: uid, [SourceAnnotations.source]: 'file' },
    },
    // What troubles the node must not take away what somebody put there by hand.
    spec: { ...given.spec, nodeName, tolerations: hasForever ? tolerations : [...tolerations, forever] },
    status: { phase: 'Pending' },
  });
}

function readYaml(text: string): unknown {
  try {
    // Aliases are bounded so that a small file cannot become a large one.
    return parse(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw edgedError('edged.manifest', `it is neither yaml nor JSON: ${(cause as Error).message.split('\n')[0]}`, cause);
  }
}

interface Given {
  apiVersion?: unknown;
  kind?: unknown;
  metadata?: { name?: unknown; namespace?: unknown; uid?: unknown };
}

/** Only what would make the pod useless or dangerous here; the API server looks closer when it gets the mirror. */
function check(value: unknown): Pod {
  const { apiVersion, kind, metadata = {} } = (value ?? {}) as Given;
  if (apiVersion !== 'v1' || kind !== 'Pod') throw bad(`it holds ${shown(kind)} of ${shown(apiVersion)}, it has to be one Pod of "v1"`);
  if (typeof metadata.name !== 'string' || !SUBDOMAIN.test(metadata.name)) throw bad(`metadata.name is ${shown(metadata.name)}, which is no name for a pod`);
  const { namespace = 'default', uid = 'none' } = metadata;
  if (typeof namespace !== 'string' || !LABEL.test(namespace)) throw bad(`metadata.namespace is ${shown(namespace)}, which is no name for a namespace`);
  if (typeof uid !== 'string' || !/^[\w-]{1,64}$/.test(uid)) throw bad(`metadata.uid is ${shown(uid)}, which is no uid`);
  if (!isPod({ ...(value as object), metadata: { ...metadata, uid, namespace } })) throw bad('spec needs containers, and containers, initContainers and volumes are lists whose entries have a name');
  const pod = value as Pod;
  const { containers, initContainers = [], volumes = [], restartPolicy = 'Always' } = pod.spec;
  if (containers.length === 0) throw bad('spec.containers is empty');
  if (!POLICIES.includes(restartPolicy)) throw bad(`spec.restartPolicy is ${shown(restartPolicy)}, it has to be ${POLICIES.join(', ')}`);
  names('containers', [...initContainers, ...containers]);
  names('volumes', volumes);
  for (const { name, image, resources, volumeMounts = [] } of [...initContainers, ...containers]) {
    if (typeof image !== 'string' || image.trim() === '') throw bad(`container ${name} has no image`);
    for (const quantity of [resources?.limits, resources?.requests].flatMap((all) => Object.values(all ?? {}))) parseQuantity(String(quantity));
    const lost = volumeMounts.find((mount) => !volumes.some((volume) => volume.name === mount.name));
    if (lost) throw bad(`container ${name} mounts volume ${shown(lost.name)}, which the pod does not have`);
  }
  return withTexts(pod);
}

function names(what: string, entries: readonly { name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of entries) {
    if (!LABEL.test(name)) throw bad(`spec.${what} has the name ${shown(name)}, which is none`);
    if (seen.has(name)) throw bad(`spec.${what} has the name ${shown(name)} twice`);
    seen.add(name);
  }
}

/** People write `cpu: 1`; the API server makes a text of it. */
function withTexts(pod: Pod): Pod {
  const texts = (all: Record<string, unknown> | undefined) => all && { ...Object.fromEntries(Object.entries(all).map(([name, value]) => [name, String(value)])) };
  const fix = <C extends Pod['spec']['containers'][number]>(container: C): C => {
    const [limits, requests] = [texts(container.resources?.limits), texts(container.resources?.requests)];
    return container.resources ? { ...container, resources: { ...container.resources, ...(limits ? { limits } : {}), ...(requests ? { requests } : {}) } } : container;
  };
  const { initContainers } = pod.spec;
  return { ...pod, spec: { ...pod.spec, containers: pod.spec.containers.map(fix), ...(initContainers ? { initContainers: initContainers.map(fix) } : {}) } };
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value).slice(0, 80);
}

function bad(text: string): Error {
  return edgedError('edged.manifest', text);
}
