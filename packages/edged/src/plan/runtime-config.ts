import type { ContainerConfig, Mount, PodSandboxConfig } from '@edge/core';
import type { Container, Pod } from '@edge/protocol';
import { podHostname } from '../isolation/hostname.js';
import { expand } from './expand.js';
import { containerAnnotations, containerLabels, logDirectory, sandboxAnnotations, sandboxLabels } from './identity.js';

export interface SandboxConfigInput {
  readonly pod: Pod;
  readonly attempt: number;
  readonly podLogsDir: string;
  /** When the agent first saw the pod, RFC 3339. */
  readonly seen: string;
  /** What keeps the pod apart, for a runtime that can. */
  readonly isolated?: Partial<PodSandboxConfig> | undefined;
}

/** The sandbox of a pod, in the words of the runtime. */
export function sandboxConfig({ pod, attempt, podLogsDir, seen, isolated }: SandboxConfigInput): PodSandboxConfig {
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  const { hostNetwork, hostPID, hostIPC, shareProcessNamespace } = pod.spec;
  const ports = hostNetwork ? [] : pod.spec.containers.flatMap(({ ports = [] }) => ports).filter(({ hostPort }) => hostPort !== undefined && hostPort > 0);
  return {
    metadata: { name, namespace, uid, attempt },
    // On the host's network the name is the host's as well.
    ...(hostNetwork ? {} : { hostname: podHostname(pod).hostname }),
    logDirectory: logDirectory(podLogsDir, { name, namespace, uid }),
    labels: sandboxLabels(pod),
    annotations: sandboxAnnotations(pod, seen),
    portMappings: ports.map(({ protocol = 'TCP', containerPort, hostPort = 0, hostIP }) => ({
      protocol,
      containerPort,
      hostPort,
      ...(hostIP === undefined ? {} : { hostIp: hostIP }),
    })),
    ...(hostNetwork === undefined ? {} : { hostNetwork }),
    ...(hostPID === undefined ? {} : { hostPID }),
    ...(hostIPC === undefined ? {} : { hostIPC }),
    ...(shareProcessNamespace === undefined ? {} : { sharePID: shareProcessNamespace }),
    ...isolated,
  };
}

export interface ContainerConfigInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly restartCount: number;
  readonly backoffSeconds: number;
  /** Reference that the runtime gave for the image. */
  readonly image: string;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly devices?: NonNullable<ContainerConfig['devices']>;
  readonly linux?: ContainerConfig['linux'] | undefined;
}

/** A container, in the words of the runtime. `$(NAME)` in command and arguments sees the whole environment. */
export function containerConfig(input: ContainerConfigInput): ContainerConfig {
  const { pod, container, restartCount, env } = input;
  const expanded = (texts: readonly string[] = []): string[] => texts.map((text) => expand(text, (name) => env.get(name)));
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: input.image,
    userSpecifiedImage: container.image ?? '',
    command: expanded(container.command),
    args: expanded(container.args),
    ...(container.workingDir === undefined ? {} : { workingDir: container.workingDir }),
    env: [...env].map(([name, value]) => ({ name, value })),
    mounts: input.mounts,
    ...(input.devices?.length ? { devices: input.devices } : {}),
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, restartCount, input.backoffSeconds),
    logPath: `${container.name}/${restartCount}.log`,
    ...(container.stdin === undefined ? {} : { stdin: container.stdin }),
    ...(container.stdinOnce === undefined ? {} : { stdinOnce: container.stdinOnce }),
    ...(container.tty === undefined ? {} : { tty: container.tty }),
    ...(input.linux ? { linux: input.linux } : {}),
  };
}
