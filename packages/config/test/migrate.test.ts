import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { defaultConfig, loadConfig, problemText } from '../src/index.js';
import { host, problemsOf } from './help.js';

const old = readFileSync(new URL('fixtures/v1alpha1.yaml', import.meta.url), 'utf8');

describe('a v1alpha1 file', () => {
  const { config, warnings, migratedFrom } = loadConfig(old, host);
  const { edged } = config.modules;

  it('[config-8.1] is recognised, and its other sections are taken as they are', () => {
    expect(migratedFrom).toBe('v1alpha1');
    expect(config.apiVersion).toBe('edgecore.config.kubeedge.io/v1alpha2');
    expect(config.modules.edgeHub).toMatchObject({ heartbeat: 20, httpServer: 'https://198.51.100.7:10002', token: 'a-token' });
    expect(config.modules.eventBus.mqttMode).toBe(2);
  });

  it('[config-8.2] keeps, renames and moves the settings of edged', () => {
    expect(edged).toMatchObject({ hostnameOverride: 'edge-1', nodeIP: '198.51.100.20', nodeLabels: { role: 'gate' }, maxPerPodContainerCount: 2, registerNodeNamespace: 'factory' });
    expect(edged.tailoredKubeletConfig).toMatchObject({
      registerWithTaints: [{ key: 'edge', effect: 'NoSchedule' }],
      nodeStatusUpdateFrequency: '20s',
      runtimeRequestTimeout: '3m0s',
      volumeStatsAggPeriod: '1m30s',
      containerRuntimeEndpoint: 'unix:///run/crio/crio.sock',
      imageServiceEndpoint: 'unix:///run/containerd/containerd.sock',
      clusterDNS: ['169.254.96.16'],
      clusterDomain: 'cluster.local',
      registerNode: false,
      imageGCHighThresholdPercent: 75,
      imageGCLowThresholdPercent: 50,
      cgroupDriver: 'systemd',
      kubeletCgroups: '/edge',
    });
  });

  it('[config-8.3] names what it drops, each with its line', () => {
    const dropped = warnings.filter((warning) => warning.kind === 'dropped-key');
    expect(dropped.map(({ path }) => path.replace('modules.edged.', '')).sort()).toEqual([
      'annotations',
      'cniBinDir',
      'cniCacheDirs',
      'cniConfDir',
      'concurrentConsumers',
      'devicePluginEnabled',
      'dockerAddress',
      'edgedMemoryCapacity',
      'enableMetrics',
      'gpuPluginEnabled',
      'imagePullProgressDeadline',
      'modules.edgeMesh',
      'networkPluginMTU',
      'networkPluginName',
      'remoteImageEndpoint',
      'runtimeType',
    ]);
    const lines = old.split('\n');
    for (const { path, line } of dropped) expect(lines[(line ?? 0) - 1], path).toContain(`${path.split('.').at(-1)}:`);
    expect(warnings.filter((warning) => warning.kind !== 'dropped-key')).toEqual([]);
  });

  it('[config-8.4] blames a wrong value at its new path and old line', () => {
    const text = 'apiVersion: edgecore.config.kubeedge.io/v1alpha1\nmodules:\n  edged:\n    cgroupDriver: x\n    nodeStatusUpdateFrequency: soon\n';
    expect(problemsOf(text).map(problemText)).toEqual([
      'modules.edged.tailoredKubeletConfig.nodeStatusUpdateFrequency (line 5): is "soon", should be a duration with units, such as 10s, 1m30s or 100ms',
      'modules.edged.tailoredKubeletConfig.cgroupDriver (line 4): is "x", should be cgroupfs or systemd',
    ]);
  });

  it('[config-8.5] with nothing but its version gives the defaults', () => {
    expect(loadConfig('apiVersion: edgecore.config.kubeedge.io/v1alpha1\n', host).config).toEqual(defaultConfig(host));
  });

  it('[config-8.6] a new setting already written into it goes over the old one', () => {
    const text = 'apiVersion: edgecore.config.kubeedge.io/v1alpha1\nmodules:\n  edged:\n    cgroupDriver: cgroupfs\n    imageGCHighThreshold: 90\n    tailoredKubeletConfig:\n      CgroupDriver: systemd\n';
    expect(loadConfig(text, host).config.modules.edged.tailoredKubeletConfig).toMatchObject({ cgroupDriver: 'systemd', imageGCHighThresholdPercent: 90 });
  });
});
