import type { ContainerConfig, ContainerFilter, ImageAuth, Mount, PodSandboxConfig, SandboxFilter } from '@edge/core';
import * as wire from '../generated/api.js';
import { containerSecurityMessage, resourcesMessage, sandboxSecurityMessage } from './isolation.js';

export function sandboxMessage(config: PodSandboxConfig): wire.PodSandboxConfig {
  const { linux = {} } = config;
  return {
    metadata: { ...config.metadata },
    // With the network the pod shares the host's name; runc refuses to set another one.
    hostname: config.hostNetwork ? '' : (config.hostname ?? ''),
    logDirectory: config.logDirectory,
    dnsConfig: config.dns && { servers: [...config.dns.servers], searches: [...config.dns.searches], options: [...config.dns.options] },
    portMappings: (config.portMappings ?? []).map(({ protocol, containerPort, hostPort, hostIp = '' }) => ({
      protocol: wire.Protocol[protocol.toUpperCase() as keyof typeof wire.Protocol] ?? wire.Protocol.TCP,
      containerPort,
      hostPort,
      hostIp,
    })),
    labels: config.labels,
    annotations: config.annotations,
    linux: {
      cgroupParent: linux.cgroupParent ?? '',
      // Always there: without it a runtime puts the processes of all containers into one namespace.
      securityContext: sandboxSecurityMessage(config),
      sysctls: { ...linux.sysctls },
      overhead: linux.overhead && resourcesMessage(linux.overhead),
      resources: linux.resources && resourcesMessage(linux.resources),
    },
  };
}

export function containerMessage(config: ContainerConfig, sandbox: PodSandboxConfig): wire.ContainerConfig {
  const { linux = {} } = config;
  return {
    metadata: { ...config.metadata },
    image: { image: config.image, userSpecifiedImage: config.userSpecifiedImage },
    command: [...config.command],
    args: [...config.args],
    workingDir: config.workingDir ?? '',
    envs: config.env.map(({ name, value }) => ({ key: name, value })),
    mounts: config.mounts.map(mountMessage),
    devices: (config.devices ?? []).map((device) => ({ ...device })),
    labels: config.labels,
    annotations: config.annotations,
    logPath: config.logPath,
    stdin: config.stdin ?? false,
    stdinOnce: config.stdinOnce ?? false,
    tty: config.tty ?? false,
    linux: {
      resources: linux.resources && resourcesMessage(linux.resources),
      securityContext: containerSecurityMessage(linux.security ?? {}, sandbox),
    },
  };
}

const PROPAGATIONS = {
  private: wire.MountPropagation.PROPAGATION_PRIVATE,
  hostToContainer: wire.MountPropagation.PROPAGATION_HOST_TO_CONTAINER,
  bidirectional: wire.MountPropagation.PROPAGATION_BIDIRECTIONAL,
} as const;

function mountMessage(mount: Mount): wire.Mount {
  return {
    containerPath: mount.containerPath,
    hostPath: mount.hostPath,
    readonly: mount.readOnly ?? false,
    selinuxRelabel: mount.selinuxRelabel ?? false,
    propagation: PROPAGATIONS[mount.propagation ?? 'private'],
    recursiveReadOnly: mount.recursiveReadOnly ?? false,
  };
}

export function sandboxFilterMessage(filter: SandboxFilter): wire.PodSandboxFilter {
  const { SANDBOX_READY, SANDBOX_NOTREADY } = wire.PodSandboxState;
  return {
    id: filter.id ?? '',
    state: filter.state && { state: filter.state === 'ready' ? SANDBOX_READY : SANDBOX_NOTREADY },
    labelSelector: filter.labels ?? {},
  };
}

const STATES = {
  created: wire.ContainerState.CONTAINER_CREATED,
  running: wire.ContainerState.CONTAINER_RUNNING,
  exited: wire.ContainerState.CONTAINER_EXITED,
  unknown: wire.ContainerState.CONTAINER_UNKNOWN,
} as const;

export function containerFilterMessage(filter: ContainerFilter): wire.ContainerFilter {
  return {
    id: filter.id ?? '',
    state: filter.state && { state: STATES[filter.state] },
    podSandboxId: filter.sandboxId ?? '',
    labelSelector: filter.labels ?? {},
  };
}

export function imageMessage(image: string): wire.ImageSpec {
  return { image, userSpecifiedImage: '' };
}

export function authMessage(auth: ImageAuth): wire.AuthConfig {
  return {
    username: auth.username ?? '',
    password: auth.password ?? '',
    auth: auth.auth ?? '',
    serverAddress: auth.serverAddress ?? '',
    identityToken: auth.identityToken ?? '',
    registryToken: auth.registryToken ?? '',
  };
}
