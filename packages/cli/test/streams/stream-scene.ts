import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUSYBOX_IMAGE, remoteCommand, startContainerd, type Containerd, type RemoteOutcome } from '@edge/testing';
import { temporaryFolder } from '../support/agent.js';
import { startDev, type Dev } from '../support/dev.js';
import { childrenOf } from './footprint.js';
import { Kubectl, SPDY_ALONE } from './kubectl.js';

/** `edgecore dev` on containerd with pods to look into. */
export interface StreamScene extends AsyncDisposable {
  readonly folder: string;
  readonly containerd: Containerd;
  readonly dev: Dev;
  /** As it comes: the way it tries first is its own choice. */
  readonly kubectl: Kubectl;
  /** Told to speak SPDY alone, as older ones do. */
  readonly spdy: Kubectl;
  readonly cloudPid: number;
  readonly agentPid: number;
  /** Address of the cloud's API, and what it wants to see. */
  readonly api: { readonly url: string; readonly ca: Buffer; readonly headers: { readonly Authorization: string } };
  /** A command in pod `p` by a client that costs little to start. */
  exec(command: readonly string[], stdin?: string): Promise<RemoteOutcome>;
}

const container = (name: string, script: string, more: object = {}): object => ({ name, image: BUSYBOX_IMAGE, imagePullPolicy: 'Never', command: ['sh', '-c', script], ...more });
const pod = (name: string, containers: readonly object[], more: object = {}): object => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' },
  spec: { terminationGracePeriodSeconds: 0, containers, ...more },
});

/** `p` writes a line a second and serves pages; `two` has two containers, one in its second life; `shell` waits at a terminal; `flood` has written much. */
const PODS = [
  pod('p', [container('c', 'mkdir /www; echo page > /www/index.html; httpd -p 8080 -h /www; n=0; while true; do n=$((n+1)); echo line $n; sleep 1; done', { stdin: true })]),
  pod('two', [
    container('a', 'if [ -e /kept/once ]; then echo second life; exec sleep 100000; fi; touch /kept/once; echo first life; exit 3', { volumeMounts: [{ name: 'kept', mountPath: '/kept' }] }),
    container('b', 'echo from b; exec sleep 100000'),
  ], { volumes: [{ name: 'kept', emptyDir: {} }] }),
  pod('shell', [container('c', 'while read -r line; do echo "heard $line"; done', { stdin: true, tty: true })]),
  pod('flood', [container('c', "yes 'a line of a log that somebody has begun to read, and then has gone away from the screen' | head -c 9000000; n=0; while true; do n=$((n+1)); echo late $n; sleep 0.5; done")]),
];

/** Starts containerd, cloud, agent and pods. */
export async function openStreamScene(): Promise<StreamScene> {
  const opened: AsyncDisposable[] = [];
  const close = async (): Promise<void> => {
    for (const one of opened.reverse()) await one[Symbol.asyncDispose]();
  };
  try {
    const containerd = await startContainerd({});
    opened.push(containerd);
    const temporary = await temporaryFolder();
    opened.push(temporary);
    const folder = temporary.path;
    const dev = await startDev(folder, ['--runtime', 'cri', '--container-runtime-endpoint', `unix://${containerd.socket}`]);
    opened.push(dev);
    await dev.said(/Node edge-e2e is Ready/, 120_000);
    await writeFile(join(folder, 'pods.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items: PODS }));
    await dev.kubectl('apply', '-f', join(folder, 'pods.json'));
    await dev.kubectl('wait', '--for=condition=Ready', 'pod', '--all', '--timeout=120s');
    const kubeconfig = join(folder, 'cloud', 'kubeconfig');
    const [ca, token, url] = await Promise.all([
      readFile(join(folder, 'cloud', 'pki', 'ca.crt')),
      readFile(join(folder, 'cloud', 'pki', 'admin.token'), 'utf8'),
      dev.kubectl('config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}'),
    ]);
    const api = { url, ca, headers: { Authorization: `Bearer ${token.trim()}` } };
    return {
      folder, containerd, dev, api,
      kubectl: new Kubectl({ kubeconfig, folder }),
      spdy: new Kubectl({ kubeconfig, folder, env: SPDY_ALONE }),
      get cloudPid() {
        return dev.child.pid ?? 0;
      },
      get agentPid() {
        return childrenOf(dev.child.pid ?? 0)[0] ?? 0;
      },
      exec: (command, stdin) => {
        const words = command.map((word) => `command=${encodeURIComponent(word)}`).join('&');
        return remoteCommand(`${url}/api/v1/namespaces/default/pods/p/exec?${words}&stdout=true&stderr=true${stdin === undefined ? '' : '&stdin=true'}`, stdin, { ca: api.ca, headers: api.headers });
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
