import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { get } from 'node:http';
import { hostname } from 'node:os';
import { expect, it } from 'vitest';
import type { Cluster } from './cluster.js';
import { startHostServer } from './host-server.js';
import { idle, shell } from './pod-handle.js';

const SERVER = 'mkdir -p /tmp/www; hostname > /tmp/www/name; httpd -f -p 8080 -h /tmp/www';
const UDP_SERVER = `const s = require('dgram').createSocket('udp4'); s.on('message', (m, from) => s.send(m, from.port, from.address)); s.bind(8081, () => console.log('up'))`;
const UDP_CLIENT = `const s = require('dgram').createSocket('udp4'); s.on('message', (m) => { console.log(String(m)); process.exit(0); }); setInterval(() => s.send('ping', 8081, process.argv[1]), 200); setTimeout(() => process.exit(1), 5000)`;

/** Names, files and paths between pods and their host. */
export function networkSpecs(cluster: () => Cluster): void {
  it('[conf-10.1] pods reach each other and the host, the host reaches pods: TCP and UDP', async () => {
    await using host = await startHostServer('http');
    await using server = await cluster().start({ containers: [shell(SERVER, { readinessProbe: { httpGet: { path: '/name', port: 8080 }, periodSeconds: 1 } })] });
    await server.ready();
    const gateway = server.ip.replace(/\d+$/, '1');
    await using client = await cluster().start({ containers: [shell(`wget -qO- http://${server.ip}:8080/name; wget -qO- http://${gateway}:${host.port}/from-pod; echo; sleep 3600`)] });
    await client.said('hello');
    expect(client.output().split('\n')).toEqual([server.name, 'hello']);
    await host.asked('/from-pod');
    expect((await httpText(`http://${server.ip}:8080/name`)).trim()).toBe(server.name);

    // The shell image knows no UDP; programs of the host do it in the networks of the pods.
    const echo = spawn('nsenter', [`--net=${await server.network()}`, process.execPath, '-e', UDP_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(echo.stdout, 'data');
      expect(execFileSync('nsenter', [`--net=${await client.network()}`, process.execPath, '-e', UDP_CLIENT, server.ip], { encoding: 'utf8' })).toBe('ping\n');
      expect(execFileSync(process.execPath, ['-e', UDP_CLIENT, server.ip], { encoding: 'utf8' })).toBe('ping\n');
    } finally {
      echo.kill();
    }
  });

  it('[conf-10.2] a pod on the host\'s network has its names, addresses and interfaces', async () => {
    await using pod = await cluster().start({ hostNetwork: true, containers: [shell('hostname; ls /sys/class/net | sort | tr "\\n" " "; echo; sleep 3600')] });
    const { status } = await pod.running();
    await pod.said('lo');
    expect(status?.podIP).toBe(status?.hostIP);
    const [name, interfaces = ''] = pod.output().split('\n');
    expect(name).toBe(hostname());
    expect(interfaces.split(' ')).toContain(cluster().containerd.cgroupRoot.slice(1));
  });

  it('[conf-10.3] host name, domain and hosts file follow the spec', async () => {
    const spec = { hostname: 'given', subdomain: 'sub', hostAliases: [{ ip: '123.45.67.89', hostnames: ['foo', 'bar'] }] };
    await using pod = await cluster().start({ ...spec, containers: [shell('hostname; cat /etc/hosts; sleep 3600'), shell('cat /etc/hosts', { name: 'own', volumeMounts: [{ name: 'own', mountPath: '/etc/hosts' }] })], volumes: [{ name: 'own', hostPath: { path: '/etc/hostname', type: 'File' } }] });
    await pod.said('foo');
    await pod.until('addressed', ({ status }) => status?.podIP !== undefined);
    const [name, head, ...lines] = pod.output().split('\n');
    expect([name, head]).toEqual(['given', '# Kubernetes-managed hosts file.']);
    const domain = lines.find((line) => line.startsWith(pod.ip))?.split(/\s+/);
    expect(domain?.slice(1)).toEqual(['given.sub.default.svc.cluster.local', 'given']);
    expect(lines).toContain('127.0.0.1\tlocalhost');
    expect(lines.some((line) => /^123\.45\.67\.89\s+foo\s+bar$/.test(line))).toBe(true);
    await pod.said(readFileSync('/etc/hostname', 'utf8').trim(), 'own');
    expect(pod.output('own')).not.toContain('Kubernetes-managed');

    await using host = await cluster().run({ hostNetwork: true, hostAliases: spec.hostAliases, containers: [shell('cat /etc/hosts')] });
    expect(host.output()).toMatch(/^# Kubernetes-managed hosts file \(host network\)\.\n/);
    for (const line of readFileSync('/etc/hosts', 'utf8').split('\n')) expect(host.output()).toContain(line.trim());
    expect(host.output()).toMatch(/123\.45\.67\.89\s+foo\s+bar/);
  });

  it('[conf-10.4] long names are cut, and the full name is the host name where asked', async () => {
    const long = `${cluster().unique('long')}-${'x'.repeat(70)}`;
    await using cut = await cluster().run({ containers: [shell('hostname')] }, { name: long });
    expect(cut.output()).toBe(long.slice(0, 63).replace(/[-.]+$/, ''));
    await using full = await cluster().run({ subdomain: 's', hostname: 'h', setHostnameAsFQDN: true, containers: [shell('hostname')] });
    expect(full.output()).toBe('h.s.default.svc.cluster.local');
  });

  it('[conf-10.5] names are looked up where the spec says', async () => {
    const dnsConfig = { nameservers: ['1.1.1.1'], searches: ['resolv.conf.local'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] };
    const script = shell('cat /etc/resolv.conf');
    const resolver = async (spec: object): Promise<string[]> => {
      await using pod = await cluster().run({ ...spec, containers: [script] });
      return pod.output().split('\n').map((line) => line.trim());
    };
    const [none, cluster_, host] = await Promise.all([resolver({ dnsPolicy: 'None', dnsConfig }), resolver({ dnsPolicy: 'ClusterFirst' }), resolver({ dnsPolicy: 'Default' })]);
    expect(none.sort()).toEqual(['nameserver 1.1.1.1', 'options ndots:2 edns0', 'search resolv.conf.local']);
    expect(cluster_).toContain('nameserver 169.254.96.16');
    expect(cluster_.find((line) => line.startsWith('search'))).toMatch(/^search default\.svc\.cluster\.local svc\.cluster\.local cluster\.local/);
    expect(cluster_).toContain('options ndots:5');
    const hosts = readFileSync('/etc/resolv.conf', 'utf8').split('\n').filter((line) => line.startsWith('nameserver'));
    for (const line of hosts) expect(host).toContain(line.trim());
  });

  it('[conf-10.6] processes are seen by whom the spec says: the host\'s, those of the pod, its own', async () => {
    const agent = String(cluster().scene.agent.pid);
    const see = shell(`[ -d /proc/${agent} ] && grep -aq edgecore /proc/${agent}/cmdline && echo host || echo own; readlink /proc/self/ns/ipc; sleep 3600`);
    const other = idle({ name: 'other' });
    await using host = await cluster().start({ hostPID: true, hostIPC: true, containers: [see] });
    await using own = await cluster().start({ containers: [see, other] });
    await using shared = await cluster().start({ shareProcessNamespace: true, containers: [see, other] });
    await Promise.all([host, own, shared].map(async (pod) => (await pod.ready(), await pod.said('ipc'))));
    const ipc = readlinkSync('/proc/self/ns/ipc');
    expect(host.output().split('\n')).toEqual(['host', ipc]);
    expect(own.output().split('\n')[0]).toBe('own');
    expect(own.output().split('\n')[1]).not.toBe(ipc);
    const processes = 'cat /proc/[0-9]*/cmdline | tr "\\0" " "';
    expect(await own.sh(processes)).not.toContain('trap');
    expect(await shared.sh(processes)).toContain('trap');
    expect(await shared.sh('tr "\\0" " " < /proc/1/cmdline')).toContain('2147483647');
  });
}

function httpText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve(text));
    }).once('error', reject);
  });
}
