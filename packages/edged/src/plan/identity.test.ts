import { describe, expect, it } from 'vitest';
import { somePod } from '../../test/plan-kit.js';
import { containerAnnotations, containerHash, containerLabels, logDirectory, sandboxAnnotations, sandboxLabels } from './identity.js';

describe('identity of pods in the runtime', () => {
  it.each([
    ['test_container', 'foo/image:v1', '8e45cbd0'],
    ['nginx', 'nginx:1.25', '5d0e8bc9'],
  ])('[edged-8.1] the hash of container %s with image %s is upstream\'s', (name, image, hash) => {
    expect(containerHash({ name, image })).toBe(hash);
  });

  it('[edged-8.2] labels and annotations are those by which upstream finds and ends pods', () => {
    const ports = [{ containerPort: 80, protocol: 'TCP' }];
    const preStop = { exec: { command: ['sync'] } };
    const container = { name: 'c', image: 'i', ports, lifecycle: { preStop } };
    const pod = somePod({ containers: [container] }, {}, { labels: { app: 'web' }, annotations: { a: 'b' }, deletionGracePeriodSeconds: 5 });
    const ids = { 'io.kubernetes.pod.name': 'p', 'io.kubernetes.pod.namespace': 'ns', 'io.kubernetes.pod.uid': 'u' };
    expect(sandboxLabels(pod)).toEqual({ app: 'web', ...ids });
    expect(sandboxAnnotations(pod, 'T')).toEqual({ a: 'b', 'kubernetes.io/config.seen': 'T', 'kubernetes.io/config.source': 'api' });
    expect(containerLabels(pod, container)).toEqual({ 'io.kubernetes.container.name': 'c', ...ids });
    expect(containerAnnotations(pod, container, 2, 20)).toEqual({
      'io.kubernetes.container.hash': containerHash(container),
      'io.kubernetes.container.restartCount': '2',
      'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': 'File',
      'io.kubernetes.pod.terminationGracePeriod': '30',
      'io.kubernetes.pod.deletionGracePeriod': '5',
      'io.kubernetes.container.preStopHandler': JSON.stringify(preStop),
      'io.kubernetes.container.ports': JSON.stringify(ports),
      'edge/restart-backoff-seconds': '20',
    });
    expect(logDirectory('/var/log/pods', { namespace: 'ns', name: 'p', uid: 'u' })).toBe('/var/log/pods/ns_p_u');
  });
});
