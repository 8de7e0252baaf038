import type { KubeObject } from '@edge/protocol';
import { canonicalAddress } from './addresses.js';
import { endpointsFor, hostsFor, type EndpointGroup } from './endpoints-of.js';
import { fieldsOf, labelsOf, listOf, portOf, protocolOf, textOf, textsOf, type Fields } from './objects.js';
import type { MeshService, ServicePort } from './service-table.js';

/** Whoever serves with one of these labels is named in it; a proxy that has no such name leaves the service alone. */
const PROXY_NAMES = ['service.kubernetes.io/service-proxy-name', 'service.edgemesh.kubeedge.io/service-proxy-name'];
/** Of `sessionAffinity: ClientIP`, seconds: Kubernetes' usual, and the most that it allows. */
const AFFINITY_SECONDS = 10_800;
const MOST_AFFINITY_SECONDS = 86_400;

/** A service with what is behind it. */
export function meshService(service: KubeObject, groups: readonly EndpointGroup[]): MeshService {
  const { name = '', namespace = '' } = service.metadata;
  const spec = fieldsOf((service as unknown as Fields).spec);
  const externalName = spec.type === 'ExternalName' ? textOf(spec.externalName) : undefined;
  const addresses = clusterAddresses(spec);
  const headless = spec.type !== 'ExternalName' && (spec.clusterIP === 'None' || textsOf(spec.clusterIPs).includes('None'));
  const affinity = spec.sessionAffinity === 'ClientIP' ? affinitySeconds(spec) : undefined;
  return {
    namespace, name,
    clusterIPs: headless || spec.type === 'ExternalName' ? [] : addresses,
    headless,
    ...(externalName === undefined ? {} : { externalName }),
    ports: spec.type === 'ExternalName' ? [] : listOf(spec.ports).flatMap((port) => servicePort(port, groups)),
    hosts: headless ? hostsFor(groups) : [],
    ...(affinity === undefined ? {} : { sessionAffinitySeconds: affinity }),
    foreignProxy: PROXY_NAMES.some((label) => labelsOf(service)[label] !== undefined),
    localOnly: spec.internalTrafficPolicy === 'Local',
    annotations: annotationsOf(service),
  };
}

function servicePort(given: Fields, groups: readonly EndpointGroup[]): ServicePort[] {
  const port = portOf(given.port);
  const protocol = protocolOf(given.protocol);
  if (port === undefined || protocol === undefined) return [];
  const name = textOf(given.name) ?? '';
  const appProtocol = textOf(given.appProtocol);
  return [{ ...(name === '' ? {} : { name }), protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }), endpoints: endpointsFor(groups, name, protocol) }];
}

function clusterAddresses({ clusterIP, clusterIPs }: Fields): readonly string[] {
  const given = textsOf(clusterIPs);
  const addresses = (given.length > 0 ? given : [clusterIP]).map(canonicalAddress).filter((address) => address !== undefined);
  return [...new Set(addresses)].slice(0, 2);
}

function affinitySeconds(spec: Fields): number {
  const { timeoutSeconds } = fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIP);
  return Number.isInteger(timeoutSeconds) && (timeoutSeconds as number) > 0 ? Math.min(timeoutSeconds as number, MOST_AFFINITY_SECONDS) : AFFINITY_SECONDS;
}

function annotationsOf({ metadata }: KubeObject): Readonly<Record<string, string>> {
  const entries = Object.entries(fieldsOf(metadata.annotations)).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  // What kubectl apply keeps there is as large as the service itself and tells nobody here anything.
  return Object.fromEntries(entries.filter(([key]) => key !== 'kubectl.kubernetes.io/last-applied-configuration'));
}
