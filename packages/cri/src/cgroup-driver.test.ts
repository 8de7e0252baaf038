import { expect, it } from 'vitest';
import { driverOfContainerdConfig } from './cgroup-driver.js';

it.each([
  [{ containerd: { defaultRuntimeName: 'runc', runtimes: { runc: { options: { SystemdCgroup: true } }, other: {} } } }, 'systemd'],
  [{ containerd: { defaultRuntimeName: 'runc', runtimes: { runc: { options: {} } } } }, 'cgroupfs'],
  [{ containerd: { defaultRuntimeName: 'gone', runtimes: {} } }, undefined],
  [{ sandboxImage: 'pause' }, undefined],
])('[cri-4.5] reads the cgroup driver from the configuration that containerd shows: case %#', (config, driver) => {
  expect(driverOfContainerdConfig(JSON.stringify(config))).toBe(driver);
});

it('[cri-4.6] a runtime that shows no configuration does not say its driver', () => {
  expect(driverOfContainerdConfig(undefined)).toBeUndefined();
});
