import type { CgroupDriver } from '@edge/core';

/**
 * The cgroup driver as told by containerd's own configuration, which it shows in a verbose status. Versions before 2.0
 * have no other way to say it. Undefined when the text is of another shape.
 */
export function driverOfContainerdConfig(text: string | undefined): CgroupDriver | undefined {
  if (text === undefined) return undefined;
  const runtime = defaultRuntime(JSON.parse(text));
  if (runtime === undefined) return undefined;
  const systemd = member(member(runtime, 'options'), 'SystemdCgroup') ?? member(runtime, 'systemdCgroup');
  return systemd === true ? 'systemd' : 'cgroupfs';
}

function defaultRuntime(config: unknown): unknown {
  const containerd = member(config, 'containerd');
  const name = member(containerd, 'defaultRuntimeName');
  return typeof name === 'string' ? member(member(containerd, 'runtimes'), name) : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
