import { isFields, type Fields } from '@edge/protocol';
import { at, listAt, textAt } from './columns.js';

/** Sets a field that is not there. */
export function setDefault(object: Fields, field: string, value: unknown): void {
  if (object[field] === undefined) object[field] = value;
}

/** Fills in what an API server fills into a pod's spec (or a template's). Changes `spec`. */
export function defaultPodSpec(spec: unknown): void {
  if (!isFields(spec)) return;
  setDefault(spec, 'restartPolicy', 'Always');
  setDefault(spec, 'terminationGracePeriodSeconds', 30);
  setDefault(spec, 'dnsPolicy', 'ClusterFirst');
  setDefault(spec, 'schedulerName', 'default-scheduler');
  setDefault(spec, 'securityContext', {});
  if (typeof spec.serviceAccountName === 'string') spec.serviceAccount = spec.serviceAccountName;
  for (const list of ['initContainers', 'containers']) {
    for (const container of listAt(spec, list)) if (isFields(container)) defaultContainer(container, spec.hostNetwork === true);
  }
  for (const volume of listAt(spec, 'volumes')) if (isFields(volume)) defaultVolume(volume);
}

function defaultContainer(container: Fields, hostNetwork: boolean): void {
  setDefault(container, 'imagePullPolicy', isLatest(textAt(container, 'image')) ? 'Always' : 'IfNotPresent');
  setDefault(container, 'terminationMessagePath', '/dev/termination-log');
  setDefault(container, 'terminationMessagePolicy', 'File');
  setDefault(container, 'resources', {});
  for (const port of listAt(container, 'ports')) {
    if (!isFields(port)) continue;
    setDefault(port, 'protocol', 'TCP');
    if (hostNetwork) setDefault(port, 'hostPort', port.containerPort);
  }
  for (const env of listAt(container, 'env')) {
    const field = at(env, 'valueFrom', 'fieldRef');
    if (isFields(field)) setDefault(field, 'apiVersion', 'v1');
  }
  const { resources } = container;
  if (isFields(resources) && isFields(resources.limits)) resources.requests = { ...resources.limits, ...(isFields(resources.requests) ? resources.requests : {}) };
  for (const kind of ['livenessProbe', 'readinessProbe', 'startupProbe']) if (isFields(container[kind])) defaultProbe(container[kind]);
  for (const hook of ['postStart', 'preStop']) {
    const http = at(container, 'lifecycle', hook, 'httpGet');
    if (isFields(http)) defaultHttp(http);
  }
}

/** Without tag or digest, or with the tag "latest". A colon before the last slash belongs to a port. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false;
  const tag = /:([^/:]*)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest';
}

function defaultHttp(http: Fields): void {
  setDefault(http, 'path', '/');
  setDefault(http, 'scheme', 'HTTP');
}

function defaultProbe(probe: Fields): void {
  setDefault(probe, 'timeoutSeconds', 1);
  setDefault(probe, 'periodSeconds', 10);
  setDefault(probe, 'successThreshold', 1);
  setDefault(probe, 'failureThreshold', 3);
  if (isFields(probe.httpGet)) defaultHttp(probe.httpGet);
  if (isFields(probe.grpc)) setDefault(probe.grpc, 'service', '');
}

const MODE = 0o644;

function defaultVolume(volume: Fields): void {
  if (Object.keys(volume).length === 1) volume.emptyDir = {};
  for (const kind of ['configMap', 'secret', 'downwardAPI', 'projected']) {
    const source = volume[kind];
    if (isFields(source)) setDefault(source, 'defaultMode', MODE);
  }
  if (isFields(volume.hostPath)) setDefault(volume.hostPath, 'type', '');
  const items = [...listAt(volume, 'downwardAPI', 'items'), ...listAt(volume, 'projected', 'sources').flatMap((s) => listAt(s, 'downwardAPI', 'items'))];
  for (const item of items) {
    const field = at(item, 'fieldRef');
    if (isFields(field)) setDefault(field, 'apiVersion', 'v1');
  }
  for (const source of listAt(volume, 'projected', 'sources')) {
    const token = at(source, 'serviceAccountToken');
    if (isFields(token)) setDefault(token, 'expirationSeconds', 3600);
  }
}
