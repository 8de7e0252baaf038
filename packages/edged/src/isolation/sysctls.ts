import { EdgeError } from '@edge/core';
import type { Pod } from '@edge/protocol';

type Namespace = 'IPC' | 'Net';

/** Kernel settings that belong to a pod alone and harm nobody else, with the kernel that made them so. */
const SAFE: readonly (readonly [name: string, since?: string])[] = [
  ['kernel.shm_rmid_forced'],
  ['net.ipv4.ip_local_port_range'],
  ['net.ipv4.tcp_syncookies'],
  ['net.ipv4.ping_group_range'],
  ['net.ipv4.ip_unprivileged_port_start'],
  ['net.ipv4.ip_local_reserved_ports', '3.16'],
  ['net.ipv4.tcp_keepalive_time', '4.5'],
  ['net.ipv4.tcp_fin_timeout', '4.6'],
  ['net.ipv4.tcp_keepalive_intvl', '4.5'],
  ['net.ipv4.tcp_keepalive_probes', '4.5'],
  ['net.ipv4.tcp_rmem', '4.15'],
  ['net.ipv4.tcp_wmem', '4.15'],
];
const IPC_NAMES = ['kernel.sem', 'kernel.shmall', 'kernel.shmmax', 'kernel.shmmni', 'kernel.shm_rmid_forced', 'kernel.shm'].concat(
  'kernel.msgmax',
  'kernel.msgmnb',
  'kernel.msgmni',
  'kernel.msg',
);

/** Which kernel settings pods may change. Names may end in `*`. */
export interface SysctlRules {
  readonly exact: ReadonlyMap<string, Namespace>;
  readonly prefixes: ReadonlyMap<string, Namespace>;
}

/**
 * The rules of this node.
 * @param alsoAllowed from the configuration
 * @param kernel release of the kernel, `6.1.0-13-amd64`
 * @throws EdgeError `config.invalid` for a name that would change the whole machine
 */
export function sysctlRules(alsoAllowed: readonly string[], kernel: string): SysctlRules {
  const exact = new Map<string, Namespace>();
  const prefixes = new Map<string, Namespace>();
  const safe = SAFE.filter(([, since]) => since === undefined || atLeast(kernel, since)).map(([name]) => name);
  for (const written of [...safe, ...alsoAllowed]) {
    const [name = '', ...rest] = dotted(written).split('*');
    const namespace = namespaceOf(name);
    if (namespace === undefined) {
      throw new EdgeError(
        'config.invalid',
        `modules.edged.tailoredKubeletConfig.allowedUnsafeSysctls names ${written}, which is not known to belong to a pod alone: allowed are kernel.shm*, kernel.msg*, kernel.sem, fs.mqueue.* and net.*`,
      );
    }
    (rest.length > 0 ? prefixes : exact).set(name, namespace);
  }
  return { exact, prefixes };
}

/** Why a pod may not run here because of the kernel settings that it wants; undefined when it may. Pure. */
export function refusedSysctl(pod: Pod, rules: SysctlRules): { readonly reason: 'SysctlForbidden'; readonly message: string } | undefined {
  for (const { name } of pod.spec.securityContext?.sysctls ?? []) {
    const why = objection(dotted(name), pod, rules);
    if (why !== undefined) return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${name}" ${why}` };
  }
  return undefined;
}

/** The settings of a pod in the words of the runtime. */
export function podSysctls(pod: Pod): Record<string, string> {
  return Object.fromEntries((pod.spec.securityContext?.sysctls ?? []).map(({ name, value }) => [dotted(name), value]));
}

function objection(name: string, { spec }: Pod, { exact, prefixes }: SysctlRules): string | undefined {
  const namespace = exact.get(name) ?? [...prefixes].find(([prefix]) => name.startsWith(prefix))?.[1];
  if (namespace === undefined) return 'not allowlisted';
  const shared = namespace === 'IPC' ? spec.hostIPC : spec.hostNetwork;
  return shared ? `not allowed with host ${namespace} enabled` : undefined;
}

function namespaceOf(name: string): Namespace | undefined {
  if (name.startsWith('net.')) return 'Net';
  return IPC_NAMES.includes(name) || name.startsWith('fs.mqueue.') ? 'IPC' : undefined;
}

/** `net/ipv4/conf/eth0.100/rp_filter` is another way to write `net.ipv4.conf.eth0/100.rp_filter`. */
function dotted(name: string): string {
  if (/^[^./]*\//.test(name)) return name.replace(/[./]/g, (sign) => (sign === '.' ? '/' : '.'));
  return name;
}

function atLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map(Number.parseFloat);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}
