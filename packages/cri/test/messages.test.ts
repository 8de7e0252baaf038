import type { ContainerConfig, PodSandboxConfig } from '@edge/core';
import { expect, it } from 'vitest';
import { createCriRuntime } from '../src/index.js';
import type { CreateContainerRequest, RunPodSandboxRequest } from '../src/generated/api.js';
import { CgroupDriver, ContainerState, MountPropagation, NamespaceMode, PodSandboxState, Protocol, SecurityProfile_ProfileType } from '../src/generated/api.js';
import { containerd2, ScriptedRuntime } from './scripted-runtime.js';

const resources = {
  cpuPeriod: 100_000,
  cpuQuota: 50_000,
  cpuShares: 512,
  memoryLimitBytes: 2 ** 40,
  memorySwapLimitBytes: 2 ** 41,
  oomScoreAdj: -997,
  cpusetCpus: '0-1',
  cpusetMems: '0',
  hugepageLimits: [{ pageSize: '2MB', limitBytes: 4 * 2 ** 20 }],
  unified: { 'memory.min': '1' },
};
const resourcesOnWire = {
  cpuPeriod: 100_000n,
  cpuQuota: 50_000n,
  cpuShares: 512n,
  memoryLimitInBytes: 2n ** 40n,
  memorySwapLimitInBytes: 2n ** 41n,
  oomScoreAdj: -997n,
  cpusetCpus: '0-1',
  cpusetMems: '0',
  hugepageLimits: [{ pageSize: '2MB', limit: 4n * 2n ** 20n }],
  unified: { 'memory.min': '1' },
};
const security = {
  privileged: true,
  runAsUser: 0,
  runAsGroup: 7,
  supplementalGroups: [1, 2],
  readonlyRootfs: true,
  selinux: { user: 'u', role: 'r', type: 't', level: 'l' },
  seccomp: { type: 'localhost', localhostRef: '/profiles/a.json' },
  apparmor: { type: 'unconfined' },
} as const;
const securityOnWire = {
  privileged: true,
  runAsUser: { value: 0n },
  runAsGroup: { value: 7n },
  supplementalGroups: [1n, 2n],
  readonlyRootfs: true,
  selinuxOptions: { user: 'u', role: 'r', type: 't', level: 'l' },
  seccomp: { profileType: SecurityProfile_ProfileType.Localhost, localhostRef: '/profiles/a.json' },
  apparmor: { profileType: SecurityProfile_ProfileType.Unconfined, localhostRef: '' },
};
const bare: PodSandboxConfig = { metadata: { name: 'p', namespace: 'n', uid: 'u', attempt: 0 }, logDirectory: '/l', labels: {}, annotations: {} };
const bareContainer: ContainerConfig = { metadata: { name: 'c', attempt: 0 }, image: 'i', userSpecifiedImage: 'i', command: [], args: [], env: [], mounts: [], labels: {}, annotations: {}, logPath: 'c/0.log' };

async function sent(pod: PodSandboxConfig, container: ContainerConfig): Promise<{ run: RunPodSandboxRequest; create: CreateContainerRequest }> {
  let run: RunPodSandboxRequest | undefined;
  let create: CreateContainerRequest | undefined;
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    runPodSandbox: (request) => ((run = request), { podSandboxId: 's' }),
    createContainer: (request) => ((create = request), { containerId: 'c' }),
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  await runtime.createContainer(await runtime.runPodSandbox(pod), container, pod);
  if (!run || !create) throw new Error('nothing was sent');
  return { run, create };
}

it('[cri-4.1] every field of a pod and a container reaches the runtime', async () => {
  const pod: PodSandboxConfig = {
    ...bare,
    metadata: { name: 'p', namespace: 'n', uid: 'u', attempt: 3 },
    hostname: 'h',
    labels: { a: '1' },
    annotations: { b: '2' },
    dns: { servers: ['10.0.0.10'], searches: ['x.y'], options: ['ndots:5'] },
    portMappings: [{ protocol: 'UDP', containerPort: 53, hostPort: 5353, hostIp: '127.0.0.1' }, { protocol: 'SCTP', containerPort: 1, hostPort: 2 }],
    sharePID: true,
    hostIPC: true,
    runtimeHandler: 'kata',
    linux: { cgroupParent: '/kubepods/pod1', sysctls: { 'net.core.somaxconn': '1024' }, security, resources, overhead: { cpuShares: 2 } },
  };
  const container: ContainerConfig = {
    ...bareContainer,
    metadata: { name: 'c', attempt: 4 },
    image: 'sha256:1',
    userSpecifiedImage: 'nginx:1',
    command: ['a', ''],
    args: ['b'],
    workingDir: '/w',
    env: [{ name: 'K', value: 'ü=\n' }],
    mounts: [{ containerPath: '/c', hostPath: '/h', readOnly: true, propagation: 'bidirectional', recursiveReadOnly: true, selinuxRelabel: true }, { containerPath: '/d', hostPath: '/i', propagation: 'hostToContainer' }],
    devices: [{ containerPath: '/dev/x', hostPath: '/dev/null', permissions: 'rwm' }],
    labels: { l: '1' },
    annotations: { n: '2' },
    stdin: true,
    stdinOnce: true,
    tty: true,
    linux: {
      resources,
      security: { ...security, runAsUsername: 'web', noNewPrivileges: true, addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'], maskedPaths: ['/proc/kcore'], readonlyPaths: ['/proc/sys'], targetContainerId: 'other' },
    },
  };
  const { run, create } = await sent(pod, container);
  const namespaceOptions = { network: NamespaceMode.POD, pid: NamespaceMode.POD, ipc: NamespaceMode.NODE, targetId: '' };
  expect(run).toEqual({
    runtimeHandler: 'kata',
    config: {
      metadata: pod.metadata,
      hostname: 'h',
      logDirectory: '/l',
      dnsConfig: pod.dns,
      portMappings: [
        { protocol: Protocol.UDP, containerPort: 53, hostPort: 5353, hostIp: '127.0.0.1' },
        { protocol: Protocol.SCTP, containerPort: 1, hostPort: 2, hostIp: '' },
      ],
      labels: { a: '1' },
      annotations: { b: '2' },
      linux: {
        cgroupParent: '/kubepods/pod1',
        securityContext: { ...securityOnWire, namespaceOptions },
        sysctls: { 'net.core.somaxconn': '1024' },
        overhead: { ...Object.fromEntries(Object.entries(resourcesOnWire).map(([name, value]) => [name, typeof value === 'bigint' ? 0n : typeof value === 'string' ? '' : Array.isArray(value) ? [] : {}])), cpuShares: 2n },
        resources: resourcesOnWire,
      },
    },
  });
  expect(create).toEqual({
    podSandboxId: 's',
    sandboxConfig: run.config,
    config: {
      metadata: { name: 'c', attempt: 4 },
      image: { image: 'sha256:1', userSpecifiedImage: 'nginx:1' },
      command: ['a', ''],
      args: ['b'],
      workingDir: '/w',
      envs: [{ key: 'K', value: 'ü=\n' }],
      mounts: [
        { containerPath: '/c', hostPath: '/h', readonly: true, selinuxRelabel: true, propagation: MountPropagation.PROPAGATION_BIDIRECTIONAL, recursiveReadOnly: true },
        { containerPath: '/d', hostPath: '/i', readonly: false, selinuxRelabel: false, propagation: MountPropagation.PROPAGATION_HOST_TO_CONTAINER, recursiveReadOnly: false },
      ],
      devices: container.devices,
      labels: { l: '1' },
      annotations: { n: '2' },
      logPath: 'c/0.log',
      stdin: true,
      stdinOnce: true,
      tty: true,
      linux: {
        resources: resourcesOnWire,
        securityContext: {
          ...securityOnWire,
          namespaceOptions: { ...namespaceOptions, pid: NamespaceMode.TARGET, targetId: 'other' },
          capabilities: { addCapabilities: ['NET_ADMIN'], dropCapabilities: ['ALL'] },
          runAsUsername: 'web',
          noNewPrivs: true,
          maskedPaths: ['/proc/kcore'],
          readonlyPaths: ['/proc/sys'],
        },
      },
    },
  });
});

it('[cri-4.2] containers have process namespaces of their own unless the pod says otherwise, and the host its name', async () => {
  const plain = await sent({ ...bare, hostname: 'h' }, bareContainer);
  const namespaces = { network: NamespaceMode.POD, pid: NamespaceMode.CONTAINER, ipc: NamespaceMode.POD, targetId: '' };
  expect(plain.run.config?.linux?.securityContext).toMatchObject({ namespaceOptions: namespaces, seccomp: undefined, runAsUser: undefined, privileged: false });
  expect(plain.create.config?.linux).toMatchObject({ resources: undefined, securityContext: { namespaceOptions: namespaces } });
  expect(plain.run.config?.hostname).toBe('h');
  const host = await sent({ ...bare, hostname: 'h', hostNetwork: true, hostPID: true, hostIPC: true, sharePID: true }, bareContainer);
  const { NODE } = NamespaceMode;
  expect(host.create.config?.linux?.securityContext?.namespaceOptions).toEqual({ network: NODE, pid: NODE, ipc: NODE, targetId: '' });
  expect(host.run.config?.hostname).toBe('');
});

it('[cri-4.3] a limit beyond what the wire can say is the largest there is', async () => {
  const { create } = await sent(bare, { ...bareContainer, linux: { resources: { memoryLimitBytes: 2 ** 70, cpuQuota: -1 } } });
  expect(create.config?.linux?.resources).toMatchObject({ memoryLimitInBytes: 2n ** 63n - 1n, cpuQuota: -1n });
});

it('[cri-4.4] what the runtime tells arrives in the words of the port', async () => {
  const ns = 1_700_000_000_123_456_789n;
  const metadata = { name: 'c', attempt: 2 };
  const sandbox = { id: 's', metadata: { name: 'p', namespace: 'n', uid: 'u', attempt: 1 }, state: PodSandboxState.SANDBOX_NOTREADY, createdAt: ns, labels: { a: '1' }, annotations: { b: '2' }, runtimeHandler: 'kata' };
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    status: () => ({
      status: { conditions: [{ type: 'NetworkReady', status: false, reason: 'R', message: 'M' }] },
      info: {},
      runtimeHandlers: [{ name: '', features: undefined }, { name: 'kata', features: { recursiveReadOnlyMounts: true, userNamespaces: false } }],
    }),
    runtimeConfig: () => ({ linux: { cgroupDriver: CgroupDriver.SYSTEMD } }),
    listPodSandbox: () => ({ items: [sandbox] }),
    podSandboxStatus: () => ({ status: { ...sandbox, network: { ip: '10.0.0.1', additionalIps: [{ ip: 'fd00::1' }] }, linux: undefined } }),
    listContainers: ({ filter }) => ({
      containers: [{ id: filter?.id ?? '', podSandboxId: 's', metadata, image: { image: 'i', userSpecifiedImage: '' }, imageRef: 'r', state: ContainerState.CONTAINER_UNKNOWN, createdAt: ns, labels: {}, annotations: {} }],
    }),
    containerStatus: () => ({
      status: {
        ...{ id: 'c', metadata, state: ContainerState.CONTAINER_EXITED, createdAt: ns, startedAt: ns, finishedAt: -6795364578871345152n, exitCode: 137 },
        ...{ image: { image: 'i', userSpecifiedImage: '' }, imageRef: 'r', reason: 'OOMKilled', message: 'm', labels: { l: '1' }, annotations: {}, logPath: '/l/c/2.log' },
        mounts: [{ containerPath: '/c', hostPath: '/h', readonly: true, selinuxRelabel: false, propagation: MountPropagation.PROPAGATION_HOST_TO_CONTAINER, recursiveReadOnly: true }],
      },
      info: {},
    }),
    listContainerStats: () => ({
      stats: [
        {
          attributes: { id: 'c', metadata, labels: { l: '1' } },
          cpu: { timestamp: ns, usageCoreNanoSeconds: { value: 5n } },
          memory: { timestamp: ns, workingSetBytes: { value: 1n }, usageBytes: undefined, rssBytes: { value: 0n }, pageFaults: { value: 3n }, majorPageFaults: { value: 4n } },
          writableLayer: { timestamp: ns, fsId: { mountpoint: '/x' }, usedBytes: { value: 9n }, inodesUsed: { value: 8n } },
        },
      ],
    }),
    listImages: () => ({ images: [{ id: 'i', repoTags: ['t'], repoDigests: ['d'], size: 2n ** 33n, uid: { value: 0n }, username: 'web', pinned: true }] }),
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  expect(await runtime.status()).toEqual({
    conditions: [{ type: 'NetworkReady', status: false, reason: 'R', message: 'M' }],
    handlers: [{ name: '', recursiveReadOnlyMounts: false, userNamespaces: false }, { name: 'kata', recursiveReadOnlyMounts: true, userNamespaces: false }],
  });
  expect(await runtime.cgroupDriver()).toBe('systemd');
  const pod = { ...sandbox, state: 'notready', createdAt: 1_700_000_000_123 };
  expect(await runtime.listPodSandboxes()).toEqual([pod]);
  expect(await runtime.podSandboxStatus('s')).toEqual({ ...pod, ips: ['10.0.0.1', 'fd00::1'], hostNetwork: false });
  expect(await runtime.listContainers({ id: 'other' })).toMatchObject([{ id: 'other', state: 'unknown' }]);
  expect(await runtime.containerStatus('c')).toEqual({
    ...{ id: 'c', sandboxId: 's', metadata, image: 'i', imageRef: 'r', state: 'exited', createdAt: 1_700_000_000_123, startedAt: 1_700_000_000_123, finishedAt: 0, exitCode: 137 },
    ...{ reason: 'OOMKilled', message: 'm', labels: { l: '1' }, annotations: {}, logPath: '/l/c/2.log' },
    mounts: [{ containerPath: '/c', hostPath: '/h', readOnly: true, selinuxRelabel: false, propagation: 'hostToContainer', recursiveReadOnly: true }],
  });
  expect(await runtime.listContainerStats()).toEqual([
    {
      ...{ id: 'c', metadata, labels: { l: '1' }, at: 1_700_000_000_123, cpuNanoseconds: 5, memoryWorkingSetBytes: 1, memoryRssBytes: 0, memoryPageFaults: 3, memoryMajorPageFaults: 4 },
      writableLayer: { usedBytes: 9, inodesUsed: 8 },
    },
  ]);
  expect(await runtime.listImages()).toEqual([{ id: 'i', tags: ['t'], digests: ['d'], sizeBytes: 2 ** 33, uid: 0, username: 'web', pinned: true }]);
});
