import { describe, expect, it } from 'vitest';
import type { PodSpec } from '@edge/protocol';
import { parseEdgedConfig } from '../config.js';
import { somePod } from '../../test/plan-kit.js';
import { podDns, type DnsSettings } from './dns.js';
import { kernelHostname, podHostname } from './hostname.js';
import { hostsFile } from './hosts-file.js';
import { parseResolver, readResolver, type Resolver } from './resolver-file.js';
import { podSysctls, refusedSysctl, sysctlRules } from './sysctls.js';

const host: Resolver = { servers: ['192.0.2.1', '192.0.2.2'], searches: ['site.example'], options: ['timeout:3'] };
const settings: DnsSettings = { clusterDNS: ['169.254.96.16'], clusterDomain: 'cluster.local', resolverFile: '/etc/resolv.conf' };
const dns = (spec: Partial<PodSpec>, over: Partial<DnsSettings> = {}, from = host, ips = ['10.1.1.1']): ReturnType<typeof podDns> =>
  podDns(somePod(spec), from, ips, { ...settings, ...over });

describe('podDns', () => {
  const cluster = {
    servers: ['169.254.96.16'],
    searches: ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'site.example'],
    options: ['ndots:5'],
  };

  it.each<[string, Partial<PodSpec>, Resolver]>([
    ['no policy', {}, cluster],
    ['ClusterFirst', { dnsPolicy: 'ClusterFirst' }, cluster],
    ['ClusterFirst on the host network', { dnsPolicy: 'ClusterFirst', hostNetwork: true }, host],
    ['ClusterFirstWithHostNet', { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }, cluster],
    ['Default', { dnsPolicy: 'Default' }, host],
    ['None', { dnsPolicy: 'None', dnsConfig: { nameservers: ['1.1.1.1'] } }, { servers: ['1.1.1.1'], searches: [], options: [] }],
  ])('[edged-27.1] follows the policy: %s', (_title, spec, expected) => {
    expect(dns(spec)).toEqual({ dns: expected, warnings: [] });
  });

  it('[edged-27.2] without servers of the cluster falls back to those of the machine and says so', () => {
    const found = dns({}, { clusterDNS: [] });
    expect(found.dns).toEqual(host);
    expect(found.warnings).toMatchObject([{ reason: 'MissingClusterDNS' }]);
  });

  it("[edged-27.25] without them the node's own mesh is asked where it is on, and the configured ones win", () => {
    const servers = (edge: object, kubelet: object = {}): readonly string[] => parseEdgedConfig({ tailoredKubeletConfig: kubelet }, { edge }).isolation.dns.clusterDNS;
    expect(servers({ edgeMesh: { enable: true } })).toEqual(['169.254.96.17']);
    expect(servers({ edgeMesh: { enable: true, address: '169.254.7.7' } })).toEqual(['169.254.7.7']);
    expect(servers({ edgeMesh: { enable: true } }, { clusterDNS: ['10.96.0.10'] })).toEqual(['10.96.0.10']);
    for (const edgeMesh of [undefined, { enable: false }, { enable: true, dns: { enable: false } }, { enable: true, dns: { port: 5353 } }]) expect(servers({ edgeMesh })).toEqual([]);
  });

  it('[edged-27.3] adds what the pod wants, without repetition; its options win', () => {
    const spec: Partial<PodSpec> = {
      dnsPolicy: 'Default',
      dnsConfig: { nameservers: ['192.0.2.2', '1.1.1.1'], searches: ['a', 'site.example'], options: [{ name: 'timeout', value: '9' }, { name: 'rotate' }] },
    };
    expect(dns(spec).dns).toEqual({ servers: ['192.0.2.1', '192.0.2.2', '1.1.1.1'], searches: ['site.example', 'a'], options: ['timeout:9', 'rotate'] });
  });

  it('[edged-27.4] stays within what resolvers can take and says what was left out', () => {
    const many = dns({ dnsPolicy: 'Default', dnsConfig: { nameservers: ['1', '2', '3'], searches: Array.from({ length: 40 }, (_, index) => `s${index}`) } });
    expect(many.dns.servers).toHaveLength(3);
    expect(many.dns.searches).toHaveLength(32);
    expect(many.warnings.map(({ reason }) => reason)).toEqual(['DNSConfigForming', 'DNSConfigForming']);
    const long = dns({ dnsPolicy: 'Default', dnsConfig: { searches: [...Array.from({ length: 20 }, (_, index) => `${index}`.padStart(200, 'x')), 'y'.repeat(300)] } });
    expect(long.dns.searches.join(' ').length).toBeLessThanOrEqual(2048);
    expect(long.dns.searches.join(' ').length).toBeGreaterThan(1800);
    expect(long.dns.searches).not.toContain('y'.repeat(300));
  });

  it('[edged-27.5] with an empty resolvConf asks the machine itself', () => {
    const empty = { resolverFile: '' };
    const nothing = { servers: [], searches: [], options: [] };
    expect(dns({ dnsPolicy: 'Default' }, empty, nothing).dns).toEqual({ servers: ['127.0.0.1'], searches: ['.'], options: [] });
    expect(dns({ dnsPolicy: 'Default' }, empty, nothing, ['fd00::1', '10.0.0.1']).dns.servers).toEqual(['::1', '127.0.0.1']);
  });
});

describe('parseResolver', () => {
  it('[edged-27.6] reads a resolver file as resolvers do', async () => {
    const text = '# a\nnameserver 1.1.1.1\n nameserver   2.2.2.2 # b\nsearch old\nsearch a.example. . b\noptions ndots:1 timeout:2\noptions ndots:3\nnameserver\n';
    expect(parseResolver(text)).toEqual({ servers: ['1.1.1.1', '2.2.2.2'], searches: ['a.example', 'b'], options: ['ndots:3', 'timeout:2'] });
    await expect(readResolver('')).resolves.toEqual({ servers: [], searches: [], options: [] });
    await expect(readResolver('/nowhere')).rejects.toMatchObject({ code: 'edged.resolver', message: expect.stringContaining('/nowhere') as string });
  });
});

describe('names of a pod', () => {
  const named = (spec: Partial<PodSpec>, name = 'p'): ReturnType<typeof somePod> => somePod(spec, {}, { name });

  it('[edged-27.7] are its hostname or its name, cut to what the kernel takes; with a subdomain a full name as well', () => {
    expect(podHostname(named({}), 'cluster.local')).toEqual({ hostname: 'p' });
    expect(podHostname(named({ hostname: 'h', subdomain: 's' }), 'cluster.local')).toEqual({ hostname: 'h', domain: 's.ns.svc.cluster.local' });
    expect(podHostname(named({}, `${'a'.repeat(60)}--.zz`), 'd').hostname).toBe('a'.repeat(60));
  });

  it('[edged-27.8] are told to the kernel, in full where wanted and possible, not at all on the host network', () => {
    expect(kernelHostname(named({ subdomain: 's' }), 'd')).toBe('p');
    expect(kernelHostname(named({ subdomain: 's', setHostnameAsFQDN: true }), 'd')).toBe('p.s.ns.svc.d');
    expect(kernelHostname(named({ setHostnameAsFQDN: true }), 'd')).toBe('p');
    expect(kernelHostname(named({ hostNetwork: true, hostname: 'h' }), 'd')).toBeUndefined();
    expect(() => kernelHostname(named({ subdomain: 's'.repeat(60), setHostnameAsFQDN: true }), 'd')).toThrow(/71 characters/);
  });
});

describe('hostsFile', () => {
  it('[edged-27.9] names the pod by all its addresses, and its aliases', () => {
    const pod = somePod({ hostname: 'h', subdomain: 's', hostAliases: [{ ip: '1.2.3.4', hostnames: ['foo', 'bar'] }] });
    expect(hostsFile(pod, ['10.0.0.5', 'fd00::5'], 'cluster.local', '')).toBe(
      [
        '# Kubernetes-managed hosts file.',
        '127.0.0.1\tlocalhost',
        '::1\tlocalhost ip6-localhost ip6-loopback',
        'fe00::0\tip6-localnet',
        'fe00::0\tip6-mcastprefix',
        'fe00::1\tip6-allnodes',
        'fe00::2\tip6-allrouters',
        '10.0.0.5\th.s.ns.svc.cluster.local\th',
        'fd00::5\th.s.ns.svc.cluster.local\th',
        '',
        '# Entries added by HostAliases.',
        '1.2.3.4\tfoo\tbar',
        '',
      ].join('\n'),
    );
    expect(hostsFile(somePod(), ['10.0.0.5'], 'd', '')).toMatch(/\n10\.0\.0\.5\tp\n$/);
  });

  it("[edged-27.10] is the node's own on the host network, and none while there is no address", () => {
    expect(hostsFile(somePod({ hostNetwork: true }), [], 'd', '127.0.0.1 localhost\n')).toBe('# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n');
    expect(hostsFile(somePod(), [], 'd', '')).toBeUndefined();
  });
});

describe('sysctls', () => {
  const wants = (name: string, spec: Partial<PodSpec> = {}): ReturnType<typeof somePod> => somePod({ ...spec, securityContext: { sysctls: [{ name, value: '1' }] } });
  const refused = (name: string, allowed: string[] = [], spec: Partial<PodSpec> = {}, kernel = '6.1.0-13-amd64'): string | undefined =>
    refusedSysctl(wants(name, spec), sysctlRules(allowed, kernel))?.message;

  it('[edged-27.11] that belong to the pod alone are allowed, others only when the configuration says so', () => {
    expect(refused('kernel.shm_rmid_forced')).toBeUndefined();
    expect(refused('net/ipv4/tcp_syncookies')).toBeUndefined();
    expect(refusedSysctl(wants('net.core.somaxconn'), sysctlRules([], '6.1'))).toEqual({
      reason: 'SysctlForbidden',
      message: 'forbidden sysctl: "net.core.somaxconn" not allowlisted',
    });
    expect(refused('net.core.somaxconn', ['net.core.*'])).toBeUndefined();
    expect(refused('kernel.msgmax', ['kernel.msg*'])).toBeUndefined();
    expect(refused('kernel.sem', ['kernel.msg*'])).toContain('not allowlisted');
    expect(refused('net.ipv4.tcp_rmem', [], {}, '4.14.1')).toContain('not allowlisted');
    expect(podSysctls(wants('net/ipv4/conf/eth0.1/rp_filter'))).toEqual({ 'net.ipv4.conf.eth0/1.rp_filter': '1' });
  });

  it('[edged-27.12] are not changed for the host', () => {
    expect(refused('net.ipv4.tcp_syncookies', [], { hostNetwork: true })).toContain('not allowed with host Net enabled');
    expect(refused('kernel.shm_rmid_forced', [], { hostIPC: true })).toContain('not allowed with host IPC enabled');
    expect(refused('kernel.shm_rmid_forced', [], { hostNetwork: true })).toBeUndefined();
  });

  it('[edged-27.13] of the whole machine cannot be allowed', () => {
    expect(() => sysctlRules(['vm.swappiness'], '6.1')).toThrow(/allowedUnsafeSysctls names vm.swappiness/);
  });
});
