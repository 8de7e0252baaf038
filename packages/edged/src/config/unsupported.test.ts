import { describe, expect, it } from 'vitest';
import { unsupportedSettings } from './unsupported.js';

describe('settings without effect', () => {
  it('[edged-36.1] are named by their path when they ask for something', () => {
    expect(unsupportedSettings({ windowsService: true, tailoredKubeletConfig: { podCIDR: '10.1.0.0/24', cpuManagerPolicy: 'static', reservedMemory: [{ numaNode: 0 }], maxPods: 5 } })).toEqual([
      'modules.edged.windowsService',
      'modules.edged.tailoredKubeletConfig.cpuManagerPolicy',
      'modules.edged.tailoredKubeletConfig.reservedMemory',
      'modules.edged.tailoredKubeletConfig.podCIDR',
    ]);
  });

  it('[edged-36.2] are found inside of sections, also where names have dots', () => {
    const tailoredKubeletConfig = {
      crashLoopBackOff: { maxContainerRestartPeriod: '1m0s' },
      evictionHard: { 'memory.available': '50Mi', 'containerfs.available': '5%' },
      logging: { format: 'json', options: { json: { splitStream: true } } },
    };
    expect(unsupportedSettings({ tailoredKubeletConfig }).map((path) => path.replace('modules.edged.tailoredKubeletConfig.', ''))).toEqual([
      'crashLoopBackOff.maxContainerRestartPeriod',
      'evictionHard.containerfs.available',
      'logging.format',
      'logging.options.json.splitStream',
    ]);
  });

  it('[edged-36.3] are not named when they are missing, empty or as upstream has them', () => {
    const tailoredKubeletConfig = { syncFrequency: '1m0s', cpuManagerPolicyOptions: {}, reservedMemory: null, topologyManagerPolicy: '', crashLoopBackOff: {}, logging: { verbosity: 0 } };
    expect(unsupportedSettings({ tailoredKubeletConfig, windowsService: false })).toEqual([]);
    expect(unsupportedSettings({ tailoredKubeletConfig: null })).toEqual([]);
  });

  it('[edged-36.4] feature gates are named when their feature stays as it is', () => {
    const featureGates = { SidecarContainers: true, UserNamespacesSupport: false, NodeSwap: false, MemoryQoS: true, ImageVolume: true, RecursiveReadOnlyMounts: false };
    expect(unsupportedSettings({ tailoredKubeletConfig: { featureGates } })).toEqual([
      'modules.edged.tailoredKubeletConfig.featureGates.ImageVolume',
      'modules.edged.tailoredKubeletConfig.featureGates.RecursiveReadOnlyMounts',
    ]);
  });
});
