import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Container, Pod, PodSpec } from '@edge/protocol';
import { openCriScene, shellPod, type CriScene } from './cri-scene.js';

/** Prints what a process can find out about its own limits, then stays. */
const REPORT = `
id; grep -E '^(CapEff|NoNewPrivs|Seccomp|Groups):' /proc/self/status
echo host $(hostname); echo resolver; cat /etc/resolv.conf; echo hosts; cat /etc/hosts
echo oom $(cat /proc/self/oom_score_adj); echo first $(tr '\\0' ' ' < /proc/1/cmdline)
echo kcore $(head -c1 /proc/kcore 2>/dev/null | wc -c) interrupts $(wc -c < /proc/interrupts 2>/dev/null)
touch /made 2>/dev/null && echo root writable || echo root read-only
echo port-range $(cat /proc/sys/net/ipv4/ip_local_port_range); echo done; exec sleep 600`;

let scene: CriScene;
const logs = new Map<string, string>();
const pods = new Map<string, Pod>();

const plans: Record<string, Partial<PodSpec> & { container?: Partial<Container> }> = {
  plain: {},
  locked: {
    securityContext: { runAsUser: 1000, runAsGroup: 3000, fsGroup: 4000, supplementalGroups: [5000], runAsNonRoot: true },
    hostname: 'called',
    subdomain: 'below',
    hostAliases: [{ ip: '192.0.2.77', hostnames: ['other', 'other.example'] }],
    dnsPolicy: 'None',
    dnsConfig: { nameservers: ['192.0.2.53'], searches: ['site.example'], options: [{ name: 'ndots', value: '3' }] },
    container: {
      securityContext: {
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      resources: { limits: { cpu: '200m', memory: '64Mi' } },
    },
  },
  privileged: { container: { securityContext: { privileged: true } } },
  burstable: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '20000 30000' }] }, container: { resources: { requests: { cpu: '100m', memory: '32Mi' } } } },
  shared: { shareProcessNamespace: true, dnsPolicy: 'ClusterFirst' },
  node: { hostPID: true, hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
};

beforeAll(async () => {
  const tailored = { podPidsLimit: 200, clusterDNS: ['169.254.96.16'], kubeReserved: { memory: '100Mi' } };
  scene = await openCriScene({ tailored, containerd: { runtimeHandlers: ['other'] } });
  await Promise.all(
    Object.entries(plans).map(async ([name, { container, ...spec }]) => {
      const wanted = shellPod(name, REPORT, { ...spec, containers: [{ name: 'c', ...container }] });
      pods.set(name, await scene.run(wanted));
      await vi.waitFor(async () => expect(logs.set(name, await scene.log(wanted)).get(name)).toMatch(/^done$/m), { timeout: 20_000 });
    }),
  );
}, 60_000);
afterAll(() => scene?.[Symbol.asyncDispose](), 30_000);

/** A file of the control group of a pod, below its class. */
function cgroup(controller: string, path: string, file: string): string {
  return readFileSync(join('/sys/fs/cgroup', controller, scene.containerd.cgroupRoot, 'kubepods', path, file), 'utf8').trim();
}

const version1 = existsSync('/sys/fs/cgroup/memory/memory.limit_in_bytes');

describe('security of pods on containerd', () => {
  it('[edged-25.20] runs as the user, group and groups of the security context', () => {
    // The image itself puts user 1000 into group 2000.
    expect(logs.get('locked')).toContain('uid=1000(edge) gid=3000 groups=2000(extra),3000,4000,5000');
    expect(logs.get('plain')).toContain('uid=0(root) gid=0(root)');
  });

  it('[edged-25.21] gives exactly the capabilities, no new privileges and the system call filter asked for', () => {
    // NET_BIND_SERVICE is bit 10; a process that is not root has it only in its bounds.
    expect(logs.get('locked')).toMatch(/CapEff:\s+0+(?:400)?\n/);
    expect(logs.get('locked')).toMatch(/NoNewPrivs:\s+1/);
    expect(logs.get('locked')).toMatch(/Seccomp:\s+2/);
    expect(logs.get('plain')).toMatch(/NoNewPrivs:\s+0/);
    expect(logs.get('plain')).toMatch(/Seccomp:\s+0/);
    expect(logs.get('plain')).toMatch(/CapEff:\s+00000000a80425fb/);
  });

  it('[edged-25.22] makes the root file system read-only where asked', () => {
    expect(logs.get('locked')).toContain('root read-only');
    expect(logs.get('plain')).toContain('root writable');
  });

  it('[edged-25.23] hides the machine from containers, not from privileged ones', () => {
    expect(logs.get('plain')).toContain('interrupts 0');
    expect(logs.get('privileged')).toMatch(/interrupts [1-9]/);
    const [, plain] = /CapEff:\s+(\w+)/.exec(logs.get('plain') ?? '') ?? [];
    const [, privileged] = /CapEff:\s+(\w+)/.exec(logs.get('privileged') ?? '') ?? [];
    expect(Number.parseInt(privileged ?? '0', 16)).toBeGreaterThan(Number.parseInt(plain ?? '0', 16));
  });

  it('[edged-25.24] keeps process namespaces apart, unless the pod shares its own or the host\'s', () => {
    const first = (name: string): string | undefined => /^first (.*)$/m.exec(logs.get(name) ?? '')?.[1];
    expect(first('plain')).toMatch(/^sh -c/);
    expect(first('shared')).toContain('sleep 2147483647');
    expect(first('node')).toBe(readFileSync('/proc/1/cmdline', 'utf8').replaceAll('\0', ' ').trim());
  });

  it('[edged-25.25] does not start a container that must not run as root and would', async () => {
    const wanted = shellPod('no-root', 'sleep 600', { securityContext: { runAsNonRoot: true } });
    await scene.cloud.push(wanted);
    const waiting = (): { reason?: string; message?: string } | undefined => scene.cloud.pods.get('default/no-root')?.status?.containerStatuses?.[0]?.state.waiting;
    await scene.cloud.until('refused', () => waiting()?.reason === 'CreateContainerConfigError');
    expect(waiting()?.message).toContain('its image runs as root');
  });
});

describe.runIf(version1)('limits of pods on containerd', () => {
  it('[edged-26.30] stand in the control groups of the pod and of its containers', () => {
    const group = `pod${pods.get('locked')?.metadata.uid}`;
    expect(cgroup('memory', group, 'memory.limit_in_bytes')).toBe('67108864');
    expect(cgroup('cpu', group, 'cpu.cfs_quota_us')).toBe('20000');
    expect(cgroup('cpu', group, 'cpu.shares')).toBe('204');
    expect(cgroup('pids', group, 'pids.max')).toBe('200');
    const id = pods.get('locked')?.status?.containerStatuses?.[0]?.containerID?.replace(/^.*\//, '') ?? '';
    expect(cgroup('memory', `${group}/${id}`, 'memory.limit_in_bytes')).toBe('67108864');
    expect(cgroup('memory', `${group}/${id}`, 'memory.memsw.limit_in_bytes')).toBe('67108864');
    expect(cgroup('cpu', `${group}/${id}`, 'cpu.cfs_quota_us')).toBe('20000');
    expect(cgroup('cpuset', group, 'cpuset.cpus')).not.toBe('');
  });

  it('[edged-26.31] are those of the class and of all pods together above it', () => {
    const total = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
    expect(cgroup('memory', '.', 'memory.limit_in_bytes')).toBe(String(total - 100 * 2 ** 20));
    expect(cgroup('cpu', 'besteffort', 'cpu.shares')).toBe('2');
    expect(cgroup('cpu', 'burstable', 'cpu.shares')).toBe('102');
    expect(existsSync(join('/sys/fs/cgroup/systemd', scene.containerd.cgroupRoot, 'kubepods/besteffort', `pod${pods.get('plain')?.metadata.uid}`))).toBe(true);
  });

  it('[edged-26.32] say who is ended first when memory runs out', () => {
    const score = (name: string): number => Number(/oom (-?\d+)/.exec(logs.get(name) ?? '')?.[1]);
    expect(score('plain')).toBe(1000);
    expect(score('burstable')).toBeGreaterThan(900);
    expect(score('burstable')).toBeLessThan(1000);
    // Below the agent's own only where it may; the runtime then takes the lowest it can.
    expect(score('locked')).toBeLessThanOrEqual(0);
  });

  it('[edged-26.33] are gone with the pod, also when something was left running in its group', async () => {
    const wanted = shellPod('gone', 'sleep 600');
    await scene.run(wanted);
    const group = join('/sys/fs/cgroup/memory', scene.containerd.cgroupRoot, 'kubepods/besteffort', 'poduid-gone');
    const stray = spawn('sleep', ['600'], { stdio: 'ignore' });
    const ended = new Promise<unknown>((resolve) => stray.once('exit', (_code, signal) => resolve(signal)));
    writeFileSync(join(group, 'cgroup.procs'), String(stray.pid));
    await scene.cloud.startDeletion(wanted, 1);
    await scene.cloud.until('gone', () => !scene.cloud.pods.has('default/gone'), 15_000);
    expect(await ended).toBe('SIGKILL');
    await expect.poll(() => existsSync(group)).toBe(false);
  });
});

describe('pods on containerd with limits', () => {
  it('[edged-26.34] are told as OOMKilled when they take more memory than they may', async () => {
    const hungry = shellPod('hungry', 'tail /dev/zero', { containers: [{ name: 'c', resources: { limits: { memory: '24Mi' } } }] });
    const ended = await scene.run(hungry, 'Failed');
    expect(ended.status?.containerStatuses?.[0]?.state.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
  });

  it('[edged-26.35] are untouched by a new agent, which removes their groups all the same', async () => {
    const wanted = shellPod('stays', 'sleep 600');
    const id = (await scene.run(wanted)).status?.containerStatuses?.[0]?.containerID;
    await scene.restart();
    await scene.cloud.startDeletion(wanted, 1);
    await scene.cloud.until('gone', () => !scene.cloud.pods.has('default/stays'), 15_000);
    const told = scene.cloud.patches(wanted).flatMap((patch) => JSON.stringify(patch).match(/containerd:\/\/\w+/g) ?? []);
    expect(new Set(told)).toEqual(new Set([id]));
    const group = join(version1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup', scene.containerd.cgroupRoot, 'kubepods/besteffort/poduid-stays');
    await expect.poll(() => existsSync(group)).toBe(false);
  });
});

describe('names of pods on containerd', () => {
  it('[edged-27.20] are in the hosts file, with aliases', async () => {
    const ip = pods.get('locked')?.status?.podIP;
    expect(logs.get('locked')).toContain(`${ip}\tcalled.below.default.svc.cluster.local\tcalled`);
    expect(logs.get('locked')).toContain('192.0.2.77\tother\tother.example');
    expect(logs.get('locked')).toContain('# Kubernetes-managed hosts file.');
    expect(logs.get('node')).toContain('# Kubernetes-managed hosts file (host network).');
    const own = shellPod('own-hosts', 'cat /etc/hosts; exec sleep 600', {
      volumes: [{ name: 'v', emptyDir: {} }],
      initContainers: [{ name: 'init', image: 'localhost/edge/busybox:1', command: ['sh', '-c', 'echo mine > /v/hosts'], volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
      containers: [{ name: 'c', volumeMounts: [{ name: 'v', mountPath: '/etc/hosts', subPath: 'hosts' }] }],
    });
    await scene.run(own);
    await expect.poll(() => scene.log(own).catch(() => '')).toBe('mine\n');
  });

  it('[edged-27.21] are the hostname; on the host network that of the node', () => {
    expect(logs.get('locked')).toContain('host called');
    expect(logs.get('plain')).toContain('host plain');
    expect(logs.get('node')).toContain(`host ${readFileSync('/proc/sys/kernel/hostname', 'utf8').trim()}`);
  });

  it('[edged-27.22] are resolved as the DNS policy says', () => {
    expect(logs.get('locked')).toMatch(/search site\.example\nnameserver 192\.0\.2\.53\noptions ndots:3/);
    expect(logs.get('shared')).toContain('nameserver 169.254.96.16');
    expect(logs.get('shared')).toContain('search default.svc.cluster.local svc.cluster.local cluster.local');
    expect(logs.get('node')).toContain('nameserver 169.254.96.16');
  });

  it('[edged-27.23] have their own kernel settings', () => {
    expect(logs.get('burstable')).toContain('port-range 20000 30000');
    expect(logs.get('plain')).not.toContain('port-range 20000 30000');
  });

  it('[edged-27.24] run in the handler of their runtime class; without one they do not run and an event says why', async () => {
    const other = await scene.run(shellPod('classy', 'sleep 600', { runtimeClassName: 'other' }));
    const [sandbox] = await scene.runtime.listPodSandboxes({ labels: { 'io.kubernetes.pod.uid': other.metadata.uid ?? '' } });
    expect(sandbox?.runtimeHandler).toBe('other');
    await scene.cloud.push(shellPod('nowhere', 'sleep 600', { runtimeClassName: 'kata-missing' }));
    const events = (): string[] => scene.cloud.received.filter(({ route }) => route.resource.includes('/event/')).map(({ content }) => JSON.stringify(content));
    await scene.cloud.until('event', () => events().some((event) => event.includes('FailedCreatePodSandBox') && event.includes('kata-missing')));
  });
});
