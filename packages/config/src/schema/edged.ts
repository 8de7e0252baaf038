import { defaultNodeName } from '../host.js';
import { ipLiterals, nodeName } from './checks.js';
import { bool, duration, int32, section, string, strings } from './build.js';
import { tailoredKubeletConfig } from './kubelet.js';

export const edged = section('Pods on this node.', {
  enable: bool(true, 'Run the module.', { minimal: true }),
  reportEvent: bool(false, 'Send Kubernetes events to the cloud.', { minimal: true }),
  hostnameOverride: string(defaultNodeName, 'Name of the node, everywhere.', { minimal: true, check: nodeName }),
  nodeIP: string('', 'Address of the node; found by itself when empty.', { omitEmpty: true, minimal: true, check: ipLiterals }),
  customInterfaceName: string('', 'Take the node address from this network interface; goes before nodeIP.', { omitEmpty: true }),
  registerNodeNamespace: string('default', 'Namespace of the first pod list query.', { minimal: true }),
  podSandboxImage: string('kubeedge/pause:3.6', 'Image of the pod sandbox.', { minimal: true }),
  runtimeCgroups: string('', 'Cgroup of the container runtime.', { omitEmpty: true }),
  rootDirectory: string('/var/lib/kubelet', 'Directory of volumes and other pod files.', { minimal: true }),
  windowsService: bool(false, 'Run as a Windows service.', { omitEmpty: true }),
  windowsPriorityClass: string('', 'Windows priority class.', { omitEmpty: true }),
  experimentalMounterPath: string('', 'Another program for mounting.', { omitEmpty: true }),
  experimentalNodeAllocatableIgnoreEvictionThreshold: bool(false, 'Leave the eviction limits out of the allocatable resources.', { omitEmpty: true }),
  nodeLabels: strings({}, 'Labels the node registers with.', { omitEmpty: true }),
  minimumGCAge: duration('0s', 'A dead container is kept at least this long.', { minimal: true }),
  maxPerPodContainerCount: int32(1, 'Dead instances kept of each container.', { minimal: true }),
  maxContainerCount: int32(-1, 'Dead containers kept on the node; -1 for no limit.', { minimal: true }),
  registerSchedulable: bool(true, 'Register the node ready for scheduling.', { minimal: true }),
  seccompDefault: bool(false, 'Use the runtime\'s system call filter for pods that name none.', { omitEmpty: true }),
  tailoredKubeletConfig,
});
