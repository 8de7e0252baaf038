import { expect, it } from 'vitest';
import type { SecurityContext } from '@edge/protocol';
import type { Cluster } from './cluster.js';
import { NAMED_USER_IMAGE, NUMBERED_USER_IMAGE } from './images.js';
import { shell } from './pod-handle.js';

/** The line of /proc/self/status with this name. */
const status = (name: string): string => `grep ^${name}: /proc/self/status | awk '{print $2}'`;

/** Who a container is and what it may do. */
export function securitySpecs(cluster: () => Cluster): void {
  /** What a script prints in containers that differ in their rights only. */
  const compare = async (script: string, ...contexts: SecurityContext[]): Promise<string[]> => {
    await using pod = await cluster().run({ containers: contexts.map((securityContext, index) => shell(script, { name: `c${index}`, securityContext })) });
    return contexts.map((_, index) => pod.output(`c${index}`));
  };

  it('[conf-8.1] runs as the user and the groups that are asked for', async () => {
    expect(await compare('id -u; id -g', { runAsUser: 65534 }, { runAsUser: 0 }, { runAsUser: 1000, runAsGroup: 3000 })).toEqual(['65534\n65534', '0\n0', '1000\n3000']);
    await using pod = await cluster().run({ securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 4000, supplementalGroups: [5000] }, containers: [shell('id -u; id -G'), shell('id -u', { name: 'own', securityContext: { runAsUser: 7 } })] });
    expect([pod.output().split('\n')[0], pod.output('own')]).toEqual(['1000', '7']);
    expect(pod.output().split('\n')[1]?.split(' ').sort()).toEqual(expect.arrayContaining(['2000', '4000', '5000']));
  });

  it('[conf-8.2] runAsNonRoot: lets a number in, refuses root and names', async () => {
    const securityContext = { runAsNonRoot: true };
    await using pod = await cluster().start({
      containers: [
        shell('id -u', { name: 'number', image: NUMBERED_USER_IMAGE, securityContext }),
        shell('id -u', { name: 'given', securityContext: { runAsNonRoot: true, runAsUser: 1234 } }),
        shell('id -u', { name: 'root', securityContext }),
        shell('id -u', { name: 'zero', securityContext: { runAsNonRoot: true, runAsUser: 0 } }),
        shell('id -u', { name: 'name', image: NAMED_USER_IMAGE, securityContext }),
      ],
    });
    const refused = (name: string): boolean => pod.container(name).state.waiting?.reason === 'CreateContainerConfigError';
    await pod.until('decided', () => ['root', 'zero', 'name'].every(refused) && ['number', 'given'].every((name) => pod.container(name).state.terminated));
    expect([pod.output('number'), pod.output('given')]).toEqual(['1000', '1234']);
  });

  it('[conf-8.3] the root file system is read-only where asked, else it can be written', async () => {
    expect(await compare('touch /made 2>&1 | grep -o Read-only; ls /made 2>/dev/null', { readOnlyRootFilesystem: true }, { readOnlyRootFilesystem: false })).toEqual(['Read-only', '/made']);
  });

  it('[conf-8.4] only a privileged container may change the network and sees the host\'s devices', async () => {
    const script = 'ip link add br9 type bridge 2>/dev/null && echo changed || echo refused; [ -e /dev/kmsg ] && echo devices || echo none';
    expect(await compare(script, {}, { privileged: true })).toEqual(['refused\nnone', 'changed\ndevices']);
  });

  it('[conf-8.5] more rights than at the start can be kept from a process', async () => {
    const contexts = [{ runAsUser: 1000 }, { runAsUser: 1000, allowPrivilegeEscalation: false }, { runAsUser: 1000, allowPrivilegeEscalation: true }];
    expect(await compare(status('NoNewPrivs'), ...contexts)).toEqual(['0', '1', '0']);
  });

  it('[conf-8.6] capabilities are added and dropped', async () => {
    const [usual, none, one] = await compare(status('CapEff'), {}, { capabilities: { drop: ['ALL'] } }, { capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] } });
    expect([none, one]).toEqual(['0000000000000000', '0000000000001000']);
    expect(usual).toBe('00000000a80425fb');
  });

  it('[conf-8.7] system calls are filtered where a profile is asked for', async () => {
    expect(await compare(status('Seccomp'), { seccompProfile: { type: 'RuntimeDefault' } }, { seccompProfile: { type: 'Unconfined' } }, {})).toEqual(['2', '0', '0']);
  });

  it('[conf-8.8] what the kernel tells is hidden and its settings cannot be written', async () => {
    const script = '[ -s /proc/timer_list ] && echo seen || echo hidden; (echo 1 > /proc/sys/kernel/panic) 2>/dev/null && echo wrote || echo refused';
    expect(await compare(script, {})).toEqual(['hidden\nrefused']);
  });

  it('[conf-8.9] safe sysctls are set, others reject the pod', async () => {
    await using pod = await cluster().run({ securityContext: { sysctls: [{ name: 'kernel/shm_rmid_forced', value: '1' }, { name: 'net.ipv4.ip_unprivileged_port_start', value: '80' }] }, containers: [shell('cat /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ip_unprivileged_port_start')] });
    await pod.succeeded();
    expect(pod.output()).toBe('1\n80');
    await using unsafe = await cluster().start({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '10000' }] }, containers: [shell('true')] });
    expect((await unsafe.ended()).status).toMatchObject({ phase: 'Failed', reason: 'SysctlForbidden' });
  });

  it('[conf-8.10] limits reach the kernel: memory, processor time, processes out of memory', async () => {
    await using pod = await cluster().run({
      containers: [shell('cat /proc/self/oom_score_adj; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/cpu/cpu.cfs_quota_us 2>/dev/null || cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max', { resources: { limits: { cpu: '500m', memory: '512Mi' } } }), shell('cat /proc/self/oom_score_adj', { name: 'free' })],
    });
    await pod.succeeded();
    const [score, memory, quota] = pod.output().split('\n');
    expect(memory).toBe('536870912');
    expect(quota).toMatch(/^50000/);
    expect(Number(score)).toBeLessThan(Number(pod.output('free')));
  });
}
