import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startMinicloud } from '@edge/minicloud';
import type { KubeNode } from '@edge/protocol';
import { freePorts } from '@edge/testing';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually, PROGRAM, temporaryFolder } from './support/agent.js';
import { killPodProcesses, podProcesses } from './support/leftovers.js';
import { openNotifySocket } from './support/notify-socket.js';
import { sleeper } from './support/scene.js';

const NODE = 'edge-install';
const LIMIT_MS = 120_000;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program to its end, with lines on its input. */
function edgecore(args: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [PROGRAM, ...args], { env: { ...process.env, NODE_OPTIONS: '' }, timeout: LIMIT_MS }, (error, out, err) => resolve({ code: error ? Number(error.code) : 0, out, err }));
    child.stdin?.end(input);
  });
}

/** All files below, folders too where nothing is in them. */
async function below(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`))).sort();
}

/** Things of others beside everything that the agent has; the first two stand where something of ours is to be. */
const FOREIGN: Readonly<Record<string, string>> = {
  'usr/local/bin/edgecore': 'the program of another agent',
  'etc/systemd/system/edgecore.service': '[Service]\nExecStart=/usr/local/bin/edgecore\n',
  'etc/kubeedge/notes': 'x',
  'etc/kubeedge/config/edgecore.yaml.mine': 'x',
  'etc/kubeedge/certs/other.crt': 'x',
  'etc/kubeedge/manifests/own-pod.txt': 'x',
  'etc/systemd/system/other.service': 'x',
  'usr/local/bin/other': 'x',
  'usr/local/lib/other/file': 'x',
  'usr/local/lib/edgecore/notes': 'x',
  'usr/local/lib/edgecore/versions.old/1': 'x',
  'var/lib/kubeedge/edgecore.db.mine': 'x',
  'var/lib/kubeedge/photos/1': 'x',
  'var/lib/kubelet/seccomp/profile.json': '{}',
  'var/lib/kubelet/config.json': '{}',
  'var/log/pods/notes': 'x',
};

it('[cli-21.1] join, install, Ready, reset: nothing of the agent is left and nothing else is touched', { timeout: 600_000 }, async () => {
  await using folder = await temporaryFolder();
  const root = join(folder.path, 'root');
  const at = (path: string): string => join(root, path);
  for (const [path, text] of Object.entries(FOREIGN)) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), text);
  }
  const foreign = await below(root);
  const cloud = await startMinicloud({ dataDir: join(folder.path, 'cloud'), nodeGraceMs: 30_000 });
  await using socket = await openNotifySocket();
  let agent: ReturnType<typeof spawn> | undefined;
  try {
    // Joins, and has everything below the folder, where the machine has it at its top.
    const config = at('etc/kubeedge/config/edgecore.yaml');
    expect(await edgecore(['install', '--root', root])).toMatchObject({ code: 1, err: expect.stringContaining(config) as string });
    const joined = await edgecore(['join', '--cloudcore-ipport', cloud.hubAddress, '--certport', cloud.httpsAddress.split(':')[1] ?? '', '--token', cloud.token(), '--node-name', NODE, '--runtime', 'process', '--config', config]);
    expect(joined).toMatchObject({ code: 0, out: expect.stringMatching(/^Or have it run as a service, as root: .* install --config /m) as string });
    await writeFile(config, await belowRoot(await readFile(config, 'utf8'), root));

    // The service, twice.
    const args = ['--root', root, '--config', config];
    expect(await edgecore(['install', '--service', 'systemd', ...args])).toMatchObject({ code: 0, err: '' });
    const unit = at('etc/systemd/system/edgecore.service');
    const { stdout, stderr } = await promisify(execFile)('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', unit]);
    expect(stdout + stderr).toBe('');
    expect(readFileSync(unit, 'utf8')).toContain(`ExecStart=${at('usr/local/bin/edgecore')} --config ${config}\n`);
    const [version = ''] = await readdir(at('usr/local/lib/edgecore/versions'));
    const program = at(`usr/local/lib/edgecore/versions/${version}/node_modules/@edge/cli/dist/main.js`);
    const first = statSync(program).ino;
    expect(await edgecore(['install', '--service', 'systemd', ...args])).toMatchObject({ code: 0, out: expect.stringContaining(`Unchanged: ${unit}`) as string });
    expect(statSync(program).ino).toBe(first);

    // What was in the way comes back with uninstall, which leaves the node's data.
    expect(await edgecore(['uninstall', ...args])).toMatchObject({ code: 0, err: '' });
    expect(await below(root)).toEqual([...foreign, 'etc/kubeedge/config/edgecore.yaml'].sort());
    for (const [path, text] of Object.entries(FOREIGN)) expect(readFileSync(at(path), 'utf8')).toBe(text);
    expect(await edgecore(['uninstall', ...args])).toMatchObject({ code: 0, out: expect.stringMatching(/^Nothing is installed in /) as string });
    expect(await edgecore(['install', '--service', 'openrc', ...args])).toMatchObject({ code: 0, err: '' });
    await promisify(execFile)('sh', ['-n', at('etc/init.d/edgecore')]);

    // The agent, as its service starts it.
    agent = spawn(at('usr/local/bin/edgecore'), ['--config', config], { stdio: 'ignore', env: { ...process.env, NODE_OPTIONS: '', CHECK_EDGECORE_ENVIRONMENT: 'false', NOTIFY_SOCKET: socket.path } });
    const nodes = cloud.api.resource<KubeNode>('v1', 'nodes');
    const isReady = (): boolean => nodes.find(NODE)?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    await eventually(isReady, LIMIT_MS, () => `node ${NODE} does not become Ready`);
    await eventually(() => socket.received.some((line) => line.startsWith('READY=1 | STATUS=')), LIMIT_MS, () => `no READY among ${JSON.stringify(socket.received)}`);
    await cloud.api.resource('v1', 'pods').create(sleeper('stays-on', NODE) as never);
    await eventually(() => podProcesses(root).length > 0, LIMIT_MS, () => 'the pod does not run');
    // What is made at other times: a database that was damaged, a copy before an upgrade, a draft that was cut off.
    for (const path of ['var/lib/kubeedge/edgecore.db.corrupt-20240131T235959Z', 'var/lib/kubeedge/modules/metamanager/0.1.1-0a1b2c3d/package.json', 'etc/kubeedge/backup/1.0.0/edgecore.db', 'etc/kubeedge/upgrade_report.json', 'etc/kubeedge/certs/server.key.next']) {
      await mkdir(dirname(at(path)), { recursive: true });
      await writeFile(at(path), 'x');
    }

    // Asked first; the answer counts, and none is a no.
    for (const answer of ['no\n', '']) expect(await edgecore(['reset', ...args], answer)).toMatchObject({ code: 1, err: 'Nothing was removed.\n' });
    expect(podProcesses(root)).not.toEqual([]);
    const written = await below(root);
    for (const path of ['var/lib/kubeedge/edgecore.db', 'etc/kubeedge/ca/rootCA.crt', 'etc/kubeedge/certs/server.key', 'etc/init.d/edgecore']) expect(written).toContain(path);

    const gone = once(agent, 'exit');
    expect(await edgecore(['reset', ...args], 'y\n')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Removed pod default/stays-on.') as string });
    await gone;
    expect(podProcesses(root)).toEqual([]);
    expect(await below(root)).toEqual(foreign);
    for (const [path, text] of Object.entries(FOREIGN)) expect(readFileSync(at(path), 'utf8')).toBe(text);
    expect(await edgecore(['reset', '--force', ...args])).toMatchObject({ code: 0, out: 'There was nothing to remove.\n' });
    expect(existsSync(at('etc/kubeedge/notes'))).toBe(true);
  } finally {
    if (agent !== undefined && agent.exitCode === null && agent.signalCode === null) agent.kill('SIGKILL');
    await cloud.close();
    killPodProcesses(root);
  }
});

/** Paths and ports of the test, where the file leaves upstream's. */
async function belowRoot(text: string, root: string): Promise<string> {
  const port = await freePorts(1);
  const at = (path: string): string => join(root, path);
  const tree = parse(text) as { modules: { edgeHub: object; edged: object } };
  const { edgeHub, edged } = tree.modules;
  return stringify({
    ...tree,
    database: { dataSource: at('var/lib/kubeedge/edgecore.db') },
    modules: {
      edgeHub: { ...edgeHub, tlsCaFile: at('etc/kubeedge/ca/rootCA.crt'), tlsCertFile: at('etc/kubeedge/certs/server.crt'), tlsPrivateKeyFile: at('etc/kubeedge/certs/server.key') },
      edged: {
        ...edged,
        rootDirectory: at('var/lib/kubelet'),
        tailoredKubeletConfig: { readOnlyPort: port, podLogsDir: at('var/log/pods'), staticPodPath: at('etc/kubeedge/manifests'), evictionHard: { 'memory.available': '1Mi', 'nodefs.available': '1Mi' } },
      },
      deviceTwin: { dmiSockPath: at('etc/kubeedge') },
      eventBus: { enable: false },
    },
  });
}
