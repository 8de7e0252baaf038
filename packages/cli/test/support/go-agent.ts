import type { ContainerConfig, ContainerRuntime, PodSandboxConfig } from '@edge/core';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Container, Pod } from '@edge/protocol';
import { eventually } from './agent.js';

/** A run of a container as the Go agent has left it. */
export interface GoRun {
  readonly container: Container;
  /** Restarts before this run. */
  readonly attempt: number;
  /** The image that the pod named when it was started; that of the container unless given. */
  readonly image?: string;
  /** It has ended by itself. */
  readonly ended?: boolean;
  /** Folders of the node by their path in the container. */
  readonly folders?: Readonly<Record<string, string>>;
}

export interface GoPod {
  readonly sandbox: string;
  /** Ids of the runs, in order. */
  readonly containers: readonly string[];
}

export interface GoAgentPlace {
  readonly runtime: ContainerRuntime;
  /** `rootDirectory` of the configuration. */
  readonly root: string;
  readonly podLogsDir: string;
  readonly cgroupRoot: string;
}

/**
 * Makes pods in the runtime as the Go agent does, by the record of what it writes and without the code under test:
 * labels, annotations, hashes, paths, attempts, control groups, folders.
 */
export async function startAsGoAgent(place: GoAgentPlace, pod: Pod, runs: readonly GoRun[]): Promise<GoPod> {
  const { runtime } = place;
  const { name = '', namespace = '', uid = '', labels, annotations } = pod.metadata;
  const identity = { 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid };
  const config: PodSandboxConfig = {
    metadata: { name, namespace, uid, attempt: 0 },
    hostname: name,
    logDirectory: join(place.podLogsDir, `${namespace}_${name}_${uid}`),
    labels: { ...labels, ...identity },
    annotations: { ...annotations, 'kubernetes.io/config.seen': '2026-01-02T03:04:05.123456789+01:00', 'kubernetes.io/config.source': 'api' },
    linux: { cgroupParent: `${place.cgroupRoot}/kubepods/besteffort/pod${uid}`, security: { seccomp: { type: 'runtimeDefault' } } },
  };
  mkdirSync(config.logDirectory, { recursive: true });
  const sandbox = await runtime.runPodSandbox(config);
  const containers: string[] = [];
  for (const run of runs) containers.push(await startRun(place, pod, config, sandbox, run));
  return { sandbox, containers };
}

async function startRun({ runtime, root }: GoAgentPlace, pod: Pod, sandboxConfig: PodSandboxConfig, sandbox: string, run: GoRun): Promise<string> {
  const { container, attempt, image = container.image ?? '' } = run;
  const message = join(root, 'pods', pod.metadata.uid ?? '', 'containers', container.name, `a1b2c3d${attempt}`);
  mkdirSync(join(message, '..'), { recursive: true });
  writeFileSync(message, '', { mode: 0o666 });
  const { 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid } = sandboxConfig.labels as Record<string, string>;
  const config: ContainerConfig = {
    metadata: { name: container.name, attempt },
    image: (await runtime.imageStatus(container.image ?? ''))?.id ?? '',
    userSpecifiedImage: image,
    command: container.command ?? [],
    args: container.args ?? [],
    env: [],
    mounts: [{ containerPath: '/dev/termination-log', hostPath: message }, ...Object.entries(run.folders ?? {}).map(([containerPath, hostPath]) => ({ containerPath, hostPath }))],
    labels: { 'io.kubernetes.container.name': container.name, 'io.kubernetes.pod.name': name ?? '', 'io.kubernetes.pod.namespace': namespace ?? '', 'io.kubernetes.pod.uid': uid ?? '' },
    annotations: {
      'io.kubernetes.container.hash': goHash(container.name, image),
      'io.kubernetes.container.restartCount': String(attempt),
      'io.kubernetes.container.terminationMessagePath': '/dev/termination-log',
      'io.kubernetes.container.terminationMessagePolicy': 'File',
      'io.kubernetes.pod.terminationGracePeriod': String(pod.spec.terminationGracePeriodSeconds ?? 30),
      ...(container.lifecycle?.preStop ? { 'io.kubernetes.container.preStopHandler': JSON.stringify(container.lifecycle.preStop) } : {}),
      ...(container.ports ? { 'io.kubernetes.container.ports': JSON.stringify(container.ports) } : {}),
    },
    logPath: `${container.name}/${attempt}.log`,
  };
  const id = await runtime.createContainer(sandbox, config, sandboxConfig);
  await runtime.startContainer(id);
  if (run.ended) await eventually(async () => (await runtime.containerStatus(id)).state === 'exited', 30_000, () => `${container.name} does not end`);
  return id;
}

/** FNV-1a, 32 bits, over the dump of the bytes of the JSON of image and name. */
export function goHash(name: string, image: string): string {
  const dump = `([]uint8)[${[...Buffer.from(`{"image":"${image}","name":"${name}"}`)].join(' ')}]`;
  const hash = [...Buffer.from(dump)].reduce((sum, byte) => ((sum ^ BigInt(byte)) * 16777619n) % 2n ** 32n, 2166136261n);
  return hash.toString(16);
}
