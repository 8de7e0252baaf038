import { readFileSync } from 'node:fs';
import { decodeFrame, FrameTypes, type ConnectRequest } from '@edge/protocol';
import { dialTunnel, Tunnel, type SessionKind, type TunnelSession } from '@edge/tunnel';
import { expect, it } from 'vitest';
import { openCloud, type CloudFixture } from './cloud-fixture.js';
import { enrol } from './edge-client.js';
import { hasKubectl, kubectl } from './kubectl.js';

const NODE = 'edge-1';
const TWO = '/api/v1/namespaces/default/pods/two/log';
const SILENCE = { first: 600_000, later: 600_000 };

interface Asked {
  readonly session: TunnelSession;
  readonly kind: SessionKind;
  readonly request: ConnectRequest;
}

/** Opens a node's tunnel; the test is its kubelet. */
async function openTunnel(fixture: CloudFixture, onSession: (asked: Asked) => void, name = NODE): Promise<Tunnel> {
  const { httpsAddress, tunnelAddress, token } = fixture.cloud;
  const keys = await enrol(httpsAddress, token(), NODE);
  const [host = '', port] = tunnelAddress.split(':');
  const { wire } = await dialTunnel({
    host, port: Number(port), ca: keys.ca, certificate: keys.cert, privateKey: keys.key, nodeName: name, internalIp: '192.0.2.2', limitMs: 20_000, signal: new AbortController().signal,
  });
  return new Tunnel({ wire, silence: SILENCE, onGarbage: () => undefined, onSession: (session, kind, request) => onSession({ session, kind, request }) });
}

async function pod(fixture: CloudFixture, name: string, containers: readonly string[], node?: string): Promise<void> {
  await fixture.cloud.api.resource('v1', 'pods').create({
    apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
    spec: { ...(node === undefined ? { nodeSelector: { no: 'where' } } : { nodeName: node }), containers: containers.map((container) => ({ name: container, image: 'busybox' })) },
  } as never);
}

const plain = (body: string, status = '200 OK'): string => `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;

interface Line {
  readonly dir?: string;
  readonly base64?: string;
}

it.runIf(hasKubectl())('[minicloud-14.1] gives kubectl logs what the node answers, and its refusals as refusals', async () => {
  await using fixture = await openCloud();
  await pod(fixture, 'p1', ['c'], NODE);
  await pod(fixture, 'two', ['a', 'b'], NODE);
  const { kubeconfigPath } = fixture.cloud;
  const away = await kubectl(kubeconfigPath, ['logs', 'p1']);
  expect(away.stderr).toContain('node "edge-1" has no tunnel to this cloud');
  const asked: Asked[] = [];
  const tunnel = await openTunnel(fixture, (one) => {
    asked.push(one);
    one.session.end(one.request.query.includes('previous') ? plain('previous terminated container "c" in pod "p1" not found\n', '400 Bad Request') : plain('hello from p1\n'));
  });
  expect(await kubectl(kubeconfigPath, ['logs', 'p1', '--tail=1', '--timestamps'])).toMatchObject({ code: 0, stdout: 'hello from p1\n' });
  expect(asked[0]?.request).toMatchObject({ method: 'GET', path: '/containerLogs/default/p1/c', query: 'tailLines=1&timestamps=true' });
  expect(JSON.stringify(asked)).not.toContain('Bearer');
  const [previous, unnamed, unknown] = await Promise.all([['logs', 'p1', '--previous'], ['get', '--raw', TWO], ['get', '--raw', `${TWO}?container=c`]].map((words) => kubectl(kubeconfigPath, words)));
  expect(previous).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('previous terminated container "c" in pod "p1" not found') as string });
  expect(unnamed?.stderr).toContain('a container name must be specified for pod two, choose one of: [a b]');
  expect(unknown?.stderr).toContain('container c is not valid for pod two');
  tunnel.close('over');
});

it.runIf(hasKubectl())('[minicloud-14.2] asks for a command as recorded, byte for byte, and kubectl takes the recorded answer for its own', async () => {
  const recorded = readFileSync(new URL('./fixtures/02-tunnel.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .flatMap(({ dir, base64 }) => (base64 === undefined ? [] : [{ dir, ...decodeFrame(Buffer.from(base64, 'base64')) }]))
    .filter(({ id }) => id === 6);
  await using fixture = await openCloud();
  await pod(fixture, 'p1', ['c'], NODE);
  const requests: ConnectRequest[] = [];
  const tunnel = await openTunnel(fixture, ({ session, request }) => {
    requests.push(request);
    // Plays the recording: each of the node's frames goes out when as many bytes have come as had then.
    const rest = recorded.filter(({ type }) => type === FrameTypes.data);
    let owed = 0;
    const go = (): void => {
      for (let next = rest[0]; next !== undefined; next = rest[0]) {
        if (next.dir === 'cloud->edge' && owed < next.data.length) return;
        rest.shift();
        if (next.dir === 'cloud->edge') owed -= next.data.length;
        else session.write(next.data);
      }
      session.end();
    };
    session.on('data', (bytes: Buffer) => {
      owed += bytes.length;
      go();
    });
    go();
  });
  expect(await kubectl(fixture.cloud.kubeconfigPath, ['exec', 'p1', '--', 'echo', 'exec-ok'], { env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' } })).toMatchObject({ code: 0, stdout: 'exec-ok\n' });
  const then = JSON.parse(Buffer.from(recorded[0]?.data as Uint8Array).toString()) as { header: Record<string, string[]>; url: { RawQuery: string; Path: string }; method: string };
  expect(requests).toMatchObject([{ id: 1, method: then.method, path: then.url.Path, query: then.url.RawQuery }]);
  // A newer kubectl says more of itself and offers one protocol more than the recorded one.
  const { 'User-Agent': _agent, 'Kubectl-Command': _command, 'Kubectl-Session': _session, ...headers } = requests[0]?.headers ?? {};
  const { 'User-Agent': _then, ...expected } = then.header;
  expect({ ...headers, 'X-Stream-Protocol-Version': headers['X-Stream-Protocol-Version']?.filter((name) => name !== 'v5.channel.k8s.io') }).toEqual(expected);
  tunnel.close('over');
});

it('[minicloud-14.3] takes a tunnel from the node that its certificate names alone', async () => {
  await using fixture = await openCloud();
  await expect(openTunnel(fixture, () => undefined, 'edge-2')).rejects.toThrow('the certificate belongs to "system:node:edge-1", the tunnel was asked for by node "edge-2"');
});

it.runIf(hasKubectl())('[minicloud-14.4] ends a caller whose node goes away in the middle, and reads a node by its proxy path', async () => {
  await using fixture = await openCloud();
  await pod(fixture, 'p1', ['c'], NODE);
  await fixture.cloud.api.resource('v1', 'nodes').create({ apiVersion: 'v1', kind: 'Node', metadata: { name: NODE } } as never);
  let cut = (): void => undefined;
  const tunnel = await openTunnel(fixture, ({ session, request }) => {
    if (request.path.startsWith('/metrics')) return void session.end(plain(`metrics ${request.path}\n`));
    session.write('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\nfirst line\n');
  });
  cut = () => tunnel.close('cut');
  const { kubeconfigPath } = fixture.cloud;
  expect(await kubectl(kubeconfigPath, ['get', '--raw', '/api/v1/nodes/edge-1/proxy/metrics/resource'])).toMatchObject({ code: 0, stdout: 'metrics /metrics/resource\n' });
  const followed = await kubectl(kubeconfigPath, ['logs', '-f', 'p1'], { onOutput: (text) => text.includes('first line') && cut() });
  expect(followed.stdout).toBe('first line\n');
  expect(followed.code).not.toBeNull();
});
