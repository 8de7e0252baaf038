import type { ContainerConfig, PodSandboxConfig } from '@edge/core';

export function podConfig(name: string, logRoot: string): PodSandboxConfig {
  return { metadata: { name, namespace: 'test', uid: `uid-${name}`, attempt: 0 }, logDirectory: `${logRoot}/${name}`, labels: { name }, annotations: {} };
}

export function containerConfig(name: string, command: readonly string[], env: Readonly<Record<string, string>> = {}, change: Partial<ContainerConfig> = {}): ContainerConfig {
  return {
    metadata: { name, attempt: 0 },
    image: 'example.org/app:1',
    userSpecifiedImage: 'example.org/app:1',
    command,
    args: [],
    env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
    mounts: [],
    labels: { name },
    annotations: {},
    logPath: `${name}/0.log`,
    ...change,
  };
}
