import type { IsolationConfig } from '../isolation/config.js';
import { tree, type Reader, type Tree } from './reader.js';

/**
 * What of `tailoredKubeletConfig` concerns isolation.
 * @param own reads `modules.edged` itself, which has one of these keys as well
 * @param path of the section
 * @param otherDns servers for pods when the section names none
 */
export function isolationConfig(kubelet: Tree, tailored: Reader, own: Reader, path: string, otherDns: readonly string[] = []): IsolationConfig {
  const gates = tree(kubelet['featureGates'], `${path}.featureGates`);
  const swap = tree(kubelet['memorySwap'], `${path}.memorySwap`);
  const texts = (key: string): string[] => tailored.list(key).map(String);
  return {
    cgroupDriver: tailored.text('cgroupDriver', 'cgroupfs') === 'systemd' ? 'systemd' : 'cgroupfs',
    cgroupRoot: tailored.text('cgroupRoot', ''),
    cgroupsPerQos: tailored.flag('cgroupsPerQOS', true),
    failCgroupV1: tailored.flag('failCgroupV1', false),
    podPidsLimit: tailored.number('podPidsLimit', -1),
    limits: {
      cpuCfsQuota: tailored.flag('cpuCFSQuota', true),
      cpuCfsPeriod: Math.round(tailored.duration('cpuCFSQuotaPeriod', 100) * 1000),
      limitedSwap: swap['swapBehavior'] === 'LimitedSwap' && gates['NodeSwap'] !== false,
      memoryQos: gates['MemoryQoS'] === true,
      memoryThrottlingFactor: typeof kubelet['memoryThrottlingFactor'] === 'number' ? kubelet['memoryThrottlingFactor'] : 0.9,
    },
    singleProcessOomKill: typeof kubelet['singleProcessOOMKill'] === 'boolean' ? kubelet['singleProcessOOMKill'] : undefined,
    reservations: {
      enforce: kubelet['enforceNodeAllocatable'] === undefined ? ['pods'] : texts('enforceNodeAllocatable'),
      systemReserved: tailored.texts('systemReserved', {}),
      kubeReserved: tailored.texts('kubeReserved', {}),
      systemReservedCgroup: tailored.text('systemReservedCgroup', ''),
      kubeReservedCgroup: tailored.text('kubeReservedCgroup', ''),
    },
    seccompDefault: own.flag('seccompDefault', false) || tailored.flag('seccompDefault', false),
    dns: {
      clusterDNS: texts('clusterDNS').length > 0 ? texts('clusterDNS') : otherDns,
      clusterDomain: tailored.text('clusterDomain', 'cluster.local'),
      // An empty text means "inherit nothing" here, unlike elsewhere.
      resolverFile: kubelet['resolvConf'] === '' ? '' : tailored.text('resolvConf', '/etc/resolv.conf'),
    },
    allowedUnsafeSysctls: texts('allowedUnsafeSysctls'),
  };
}
