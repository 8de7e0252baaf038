import type { Container, Pod, Probe, Volume } from '@edge/protocol';

/**
 * Fills in what the API server fills in for pods that come through it. A pod from a file gets there only as an image of
 * itself, so its node has to do it.
 */
export function withPodDefaults(pod: Pod): Pod {
  const { spec } = pod;
  const host = spec.hostNetwork === true;
  const containers = (all: readonly Container[]): Container[] => all.map((container) => withContainerDefaults(container, host));
  return {
    ...pod,
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
      ...spec,
      ...(spec.initContainers ? { initContainers: containers(spec.initContainers) } : {}),
      containers: containers(spec.containers),
      ...(spec.volumes ? { volumes: spec.volumes.map(withVolumeDefaults) } : {}),
    },
  };
}

function withContainerDefaults(container: Container, hostNetwork: boolean): Container {
  const { image = '', ports, resources, livenessProbe, readinessProbe, startupProbe, env } = container;
  const { limits, requests } = resources ?? {};
  return {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: hasMovingTag(image) ? 'Always' : 'IfNotPresent',
    ...container,
    // A limit without a request asks for as much.
    resources: { ...resources, ...(limits ? { requests: { ...limits, ...requests } } : {}) },
    ...(ports ? { ports: ports.map((port) => ({ protocol: 'TCP', ...(hostNetwork ? { hostPort: port.containerPort } : {}), ...port })) } : {}),
    ...(env ? { env: env.map((one) => (one.valueFrom?.fieldRef ? { ...one, valueFrom: { fieldRef: { apiVersion: 'v1', ...one.valueFrom.fieldRef } } } : one)) } : {}),
    ...(livenessProbe ? { livenessProbe: withProbeDefaults(livenessProbe) } : {}),
    ...(readinessProbe ? { readinessProbe: withProbeDefaults(readinessProbe) } : {}),
    ...(startupProbe ? { startupProbe: withProbeDefaults(startupProbe) } : {}),
  };
}

/** Without a tag, or with `latest`, the name means another image tomorrow. */
function hasMovingTag(image: string): boolean {
  const last = image.slice(image.lastIndexOf('/') + 1);
  return !image.includes('@') && (!last.includes(':') || last.endsWith(':latest'));
}

function withProbeDefaults(probe: Probe): Probe {
  const { httpGet, grpc } = probe;
  return {
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
    ...probe,
    ...(httpGet ? { httpGet: { path: '/', scheme: 'HTTP', ...httpGet } } : {}),
    ...(grpc ? { grpc: { service: '', ...grpc } } : {}),
  };
}

function withVolumeDefaults(volume: Volume): Volume {
  const { configMap, secret, downwardAPI, projected, hostPath, ...rest } = volume;
  const { name: _name, ...others } = rest;
  const defaultMode = 0o644;
  const filled: Volume = {
    ...rest,
    ...(configMap ? { configMap: { defaultMode, ...configMap } } : {}),
    ...(secret ? { secret: { defaultMode, ...secret } } : {}),
    ...(downwardAPI ? { downwardAPI: { defaultMode, ...downwardAPI } } : {}),
    ...(projected ? { projected: { defaultMode, ...projected } } : {}),
    ...(hostPath ? { hostPath: { type: '', ...hostPath } } : {}),
  };
  const hasSource = [configMap, secret, downwardAPI, projected, hostPath, ...Object.values(others)].some((source) => source !== undefined);
  return hasSource ? filled : { ...filled, emptyDir: {} };
}
