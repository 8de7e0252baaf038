import type { KubeObject } from '@edge/protocol';

/** A pod as an API server gives it, with the metadata of its managers: a little more than 4 KB of JSON. */
export function podOf(name: string, namespace: string, version: number): KubeObject {
  const labels = { app: name.split('-')[0] ?? name, 'app.kubernetes.io/instance': name, tier: 'edge', 'pod-template-hash': '5d4f8c7b9' };
  const time = '2026-01-01T00:00:00Z';
  const volumeMounts = [{ name: 'config', mountPath: '/etc/app', readOnly: true }, { name: 'kube-api-access-x2x4d', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }];
  const condition = (type: string): object => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: time });
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name, namespace, uid: `0b0f6f5c-0000-4000-8000-${String(version).padStart(12, '0')}`, resourceVersion: String(version), creationTimestamp: time, labels,
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '9100', 'kubectl.kubernetes.io/restartedAt': time },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'app-5d4f8c7b9', uid: '6a1c7a52-0000-4000-8000-000000000000', controller: true, blockOwnerDeletion: true }],
      managedFields: ['kube-controller-manager', 'edgecore'].map((manager) => ({
        manager, operation: 'Update', apiVersion: 'v1', time, fieldsType: 'FieldsV1',
        fieldsV1: { 'f:metadata': { 'f:labels': Object.fromEntries(Object.keys(labels).map((key) => [`f:${key}`, {}])) }, 'f:spec': { 'f:containers': { 'k:{"name":"main"}': { '.': {}, 'f:image': {}, 'f:env': {}, 'f:resources': {} } } } },
      })),
    },
    spec: {
      nodeName: 'edge-1', serviceAccountName: 'default', restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler', securityContext: {},
      containers: [{
        name: 'main', image: `registry.example/team/${name}:1.4.2`, imagePullPolicy: 'IfNotPresent', command: ['/app/server', '--config', '/etc/app/config.yaml'],
        env: ['LOG_LEVEL', 'NODE_NAME', 'REGION', 'TOPIC'].map((key) => ({ name: key, value: `value of ${key.toLowerCase()}` })),
        ports: [{ name: 'metrics', containerPort: 9100, protocol: 'TCP' }], resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '200m', memory: '128Mi' } },
        livenessProbe: { httpGet: { path: '/healthz', port: 9100, scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
        volumeMounts, terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File',
      }],
      tolerations: ['not-ready', 'unreachable'].map((key) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 })),
      volumes: [
        { name: 'config', configMap: { name: `${name}-config`, defaultMode: 420 } },
        { name: 'kube-api-access-x2x4d', projected: { defaultMode: 420, sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }, { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } }] } },
      ],
    },
    status: {
      phase: 'Running', hostIP: '192.0.2.7', podIP: '10.42.0.17', podIPs: [{ ip: '10.42.0.17' }], qosClass: 'Burstable', startTime: time,
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map(condition),
      containerStatuses: [{
        name: 'main', ready: true, started: true, restartCount: 1, image: `registry.example/team/${name}:1.4.2`, imageID: 'registry.example/team/app@sha256:9f2d', containerID: 'containerd://4f1c6f8e2d0b',
        state: { running: { startedAt: time } }, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled', startedAt: time, finishedAt: time } },
      }],
    },
  };
}
