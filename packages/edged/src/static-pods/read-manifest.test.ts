import { describe, expect, it } from 'vitest';
import { somePod } from '../../test/plan-kit.js';
import { planMirrors } from './plan-mirrors.js';
import { readManifest } from './read-manifest.js';

const read = (text: string, path = '/etc/manifests/web.yaml', nodeName = 'Edge-1') => readManifest({ text, path, nodeName });
const WEB = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  hostNetwork: true
  containers:
    - name: c
      image: registry:5000/busybox
      ports: [{containerPort: 80}]
      resources: {limits: {cpu: 1, memory: 64Mi}}
      livenessProbe: {httpGet: {port: 80}}
      env: [{name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
    - name: pinned
      image: busybox:1.36
  volumes: [{name: scratch}, {name: settings, configMap: {name: settings}}]
`;

describe('readManifest', () => {
  it('[edged-33.1] gives the pod its identity on this node and the defaults of the API server', () => {
    const pod = read(WEB);
    const { uid = '', annotations } = pod.metadata;
    expect(uid).toMatch(/^[0-9a-f]{32}$/);
    expect(pod.metadata).toMatchObject({ name: 'web-edge-1', namespace: 'default', labels: { app: 'web' } });
    expect(annotations).toEqual({ 'kubernetes.io/config.hash': uid, 'kubernetes.io/config.source': 'file' });
    expect(pod.spec).toMatchObject({ nodeName: 'Edge-1', restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', tolerations: [{ operator: 'Exists', effect: 'NoExecute' }] });
    expect(pod.spec.containers[0]).toMatchObject({
      imagePullPolicy: 'Always',
      terminationMessagePath: '/dev/termination-log',
      ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }],
      resources: { limits: { cpu: '1', memory: '64Mi' }, requests: { cpu: '1', memory: '64Mi' } },
      livenessProbe: { httpGet: { port: 80, path: '/', scheme: 'HTTP' }, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
      env: [{ valueFrom: { fieldRef: { apiVersion: 'v1' } } }],
    });
    expect(pod.spec.containers[1]?.imagePullPolicy).toBe('IfNotPresent');
    expect(pod.spec.volumes).toEqual([{ name: 'scratch', emptyDir: {} }, { name: 'settings', configMap: { name: 'settings', defaultMode: 0o644 } }]);
  });

  it('[edged-33.2] the uid follows from what the file says, from the file and from the node, not from how it is written', () => {
    const { uid } = read(WEB).metadata;
    const json = JSON.stringify({ ...(JSON.parse(JSON.stringify({ kind: 'Pod', apiVersion: 'v1' })) as object), metadata: { name: 'a' }, spec: { containers: [{ name: 'c', image: 'i' }] } });
    expect(read(`# a comment\n${WEB}`).metadata.uid).toBe(uid);
    expect(read(json).metadata.uid).toBe(read('{spec: {containers: [{image: i, name: c}]}, metadata: {name: a}, apiVersion: v1, kind: Pod}').metadata.uid);
    expect(read(WEB.replace('1.36', '1.37')).metadata.uid).not.toBe(uid);
    expect(read(WEB, '/elsewhere.yaml').metadata.uid).not.toBe(uid);
    expect(read(WEB, undefined, 'edge-2').metadata.uid).not.toBe(uid);
    expect(read(WEB.replace('{name: web,', '{name: web, uid: my-own,')).metadata.uid).toBe('my-own');
  });

  it.each([
    ['{', /neither yaml nor JSON/],
    ['', /it holds nothing of nothing/],
    ['{apiVersion: apps/v1, kind: Deployment}', /it holds "Deployment" of "apps\/v1"/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: Upper}, spec: {containers: []}}', /metadata\.name is "Upper"/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ../x}, spec: {}}', /metadata\.namespace is "\.\.\/x"/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a, uid: ../x}, spec: {}}', /metadata\.uid is "\.\.\/x"/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}}', /spec needs containers/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: []}}', /spec\.containers is empty/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: ../c, image: i}]}}', /has the name "\.\.\/c"/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i}, {name: c, image: i}]}}', /"c" twice/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c}]}}', /container c has no image/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {restartPolicy: Sometimes, containers: [{name: c, image: i}]}}', /restartPolicy is "Sometimes"/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i, resources: {limits: {cpu: much}}}]}}', /"much" is no resource quantity/],
    ['{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c, image: i, volumeMounts: [{name: v, mountPath: /v}]}]}}', /mounts volume "v"/],
  ])('[edged-33.3] says what is wrong with a file: %s', (text, why) => {
    expect(() => read(text)).toThrow(why);
  });
});

describe('planMirrors', () => {
  const pod = (hash: string, name = 'web') => somePod({}, {}, { name, uid: hash, annotations: { 'kubernetes.io/config.hash': hash } });
  const mirror = (hash: string, name = 'web', over = {}) => somePod({}, {}, { name, uid: `api-${hash}`, annotations: { 'kubernetes.io/config.mirror': hash }, ...over });
  const plan = (pods: ReturnType<typeof pod>[], mirrors: ReturnType<typeof mirror>[], whole = true, removed = false) => {
    const { create, remove } = planMirrors({ pods: pods.map((one) => ({ pod: one, removed })), mirrors, whole });
    return [create.map(({ metadata }) => metadata.uid), remove.map(({ metadata }) => metadata.uid)];
  };

  it('[edged-33.4] each static pod has one mirror of what it is now; a mirror of what is gone is removed, unless a file cannot be read', () => {
    expect(plan([pod('a')], [])).toEqual([['a'], []]);
    expect(plan([pod('a')], [mirror('a')])).toEqual([[], []]);
    expect(plan([pod('b')], [mirror('a')])).toEqual([[], ['api-a']]);
    expect(plan([pod('a')], [mirror('a', 'web', { deletionTimestamp: '2026-01-01T00:00:00Z' })])).toEqual([[], ['api-a']]);
    expect(plan([], [mirror('a')])).toEqual([[], ['api-a']]);
    expect(plan([], [mirror('a')], false)).toEqual([[], []]);
    expect(plan([pod('b')], [mirror('a')], false)).toEqual([[], ['api-a']]);
    // It still ends: its last status has to go somewhere, and no new one is made.
    expect(plan([pod('a')], [mirror('a')], true, true)).toEqual([[], []]);
    expect(plan([pod('a')], [], true, true)).toEqual([[], []]);
  });
});
