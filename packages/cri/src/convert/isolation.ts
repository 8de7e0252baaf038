import type { ContainerSecurity, LinuxResources, PodSandboxConfig, SandboxSecurity, SecurityProfile, SelinuxOptions } from '@edge/core';
import * as wire from '../generated/api.js';
import { int64 } from './values.js';

/** Limits as messages; what is absent is 0, which runtimes take as not given. */
export function resourcesMessage(resources: LinuxResources): wire.LinuxContainerResources {
  return {
    cpuPeriod: int64(resources.cpuPeriod),
    cpuQuota: int64(resources.cpuQuota),
    cpuShares: int64(resources.cpuShares),
    memoryLimitInBytes: int64(resources.memoryLimitBytes),
    memorySwapLimitInBytes: int64(resources.memorySwapLimitBytes),
    oomScoreAdj: int64(resources.oomScoreAdj),
    cpusetCpus: resources.cpusetCpus ?? '',
    cpusetMems: resources.cpusetMems ?? '',
    hugepageLimits: (resources.hugepageLimits ?? []).map(({ pageSize, limitBytes }) => ({ pageSize, limit: int64(limitBytes) })),
    unified: { ...resources.unified },
  };
}

export function sandboxSecurityMessage(config: PodSandboxConfig): wire.LinuxSandboxSecurityContext {
  const security = config.linux?.security ?? {};
  return {
    ...commonSecurity(security),
    namespaceOptions: namespaces(config),
  };
}

/** The namespaces are the pod's; the runtime reads them again for each container. */
export function containerSecurityMessage(security: ContainerSecurity, sandbox: PodSandboxConfig): wire.LinuxContainerSecurityContext {
  const { addCapabilities = [], dropCapabilities = [] } = security;
  return {
    ...commonSecurity(security),
    namespaceOptions: namespaces(sandbox, security.targetContainerId),
    capabilities: { addCapabilities: [...addCapabilities], dropCapabilities: [...dropCapabilities] },
    runAsUsername: security.runAsUsername ?? '',
    noNewPrivs: security.noNewPrivileges ?? false,
    maskedPaths: [...(security.maskedPaths ?? [])],
    readonlyPaths: [...(security.readonlyPaths ?? [])],
  };
}

function commonSecurity(security: SandboxSecurity): Omit<wire.LinuxSandboxSecurityContext, 'namespaceOptions'> {
  return {
    selinuxOptions: selinux(security.selinux),
    runAsUser: wrapped(security.runAsUser),
    runAsGroup: wrapped(security.runAsGroup),
    readonlyRootfs: security.readonlyRootfs ?? false,
    supplementalGroups: (security.supplementalGroups ?? []).map(int64),
    privileged: security.privileged ?? false,
    seccomp: profile(security.seccomp),
    apparmor: profile(security.apparmor),
  };
}

function namespaces(pod: PodSandboxConfig, targetContainerId?: string): wire.NamespaceOption {
  const { CONTAINER, NODE, POD, TARGET } = wire.NamespaceMode;
  const own = pod.hostPID ? NODE : pod.sharePID ? POD : CONTAINER;
  return {
    network: pod.hostNetwork ? NODE : POD,
    pid: targetContainerId === undefined ? own : TARGET,
    ipc: pod.hostIPC ? NODE : POD,
    targetId: targetContainerId ?? '',
  };
}

const PROFILE_TYPES = {
  runtimeDefault: wire.SecurityProfile_ProfileType.RuntimeDefault,
  unconfined: wire.SecurityProfile_ProfileType.Unconfined,
  localhost: wire.SecurityProfile_ProfileType.Localhost,
} as const;

function profile(value: SecurityProfile | undefined): wire.SecurityProfile | undefined {
  return value && { profileType: PROFILE_TYPES[value.type], localhostRef: value.localhostRef ?? '' };
}

function selinux(value: SelinuxOptions | undefined): wire.SELinuxOption | undefined {
  return value && { user: value.user ?? '', role: value.role ?? '', type: value.type ?? '', level: value.level ?? '' };
}

/** User 0 is not the same as no user, so these numbers travel in a wrapper. */
function wrapped(value: number | undefined): wire.Int64Value | undefined {
  return value === undefined ? undefined : { value: int64(value) };
}
