import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, ContainerStats, RuntimeContainerStatus } from '@edge/core';
import { errorCode, sleep } from '@edge/core';
import { collectingLogger, eventually, outputOf } from '@edge/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { containerConfig, podConfig } from './process-runtime/configs.js';
import type { OpenRuntime } from './process-runtime/workshop.js';
import { Workshop } from './process-runtime/workshop.js';

const never = new AbortController().signal;
const sh = (script: string, ...args: string[]): string[] => ['/bin/sh', '-c', script, 'sh', ...args];

describe('the process runtime', () => {
  let shop: Workshop;
  beforeEach(async () => {
    shop = await Workshop.create();
  });
  afterEach(() => shop[Symbol.asyncDispose]());

  async function create(runtime: OpenRuntime, command: readonly string[], change: Partial<ContainerConfig> = {}, env: Record<string, string> = {}): Promise<string> {
    const pod = podConfig('pod', shop.logRoot);
    const [existing] = await runtime.listPodSandboxes();
    const sandbox = existing?.id ?? (await runtime.runPodSandbox(pod));
    return runtime.createContainer(sandbox, containerConfig('main', command, env, change), pod);
  }

  async function start(runtime: OpenRuntime, command: readonly string[], change: Partial<ContainerConfig> = {}, env: Record<string, string> = {}): Promise<string> {
    const id = await create(runtime, command, change, env);
    await runtime.startContainer(id);
    return id;
  }

  function exited(runtime: OpenRuntime, id: string): Promise<RuntimeContainerStatus> {
    return eventually(async () => {
      const status = await runtime.containerStatus(id);
      return status.state === 'exited' ? status : undefined;
    }, 'the container exits');
  }

  const files = (id: string, ...names: string[]): string => join(shop.root, 'containers', id, ...names);
  const pidIn = async (path: string): Promise<number> => Number.parseInt(await readFile(path, 'utf8'), 10);

  async function output(status: RuntimeContainerStatus): Promise<string> {
    return outputOf(await readFile(status.logPath, 'utf8'), 'stdout');
  }

  async function logged(runtime: OpenRuntime, id: string, text: string): Promise<string> {
    const { logPath } = await runtime.containerStatus(id);
    return eventually(async () => {
      const log = await readFile(logPath, 'utf8').catch(() => '');
      return outputOf(log, 'stdout').includes(text) ? outputOf(log, 'stdout') : undefined;
    }, `the log says ${text}`);
  }

  it('[edged-process-use-2] measures what the processes of a container use, those in the background too, and only while it runs', async () => {
    const runtime = await shop.open();
    const busy = await start(runtime, sh('(while :; do :; done) & echo began; wait'));
    const idle = await start(runtime, sh('echo began; sleep 1000'), { metadata: { name: 'idle', attempt: 0 } });
    await Promise.all([busy, idle].map((id) => logged(runtime, id, 'began')));
    const measure = async (filter: { id?: string } = {}): Promise<ContainerStats[]> => (await runtime.listContainerStats?.(filter)) ?? [];
    const seconds = async (id: string): Promise<number> => ((await measure({ id }))[0]?.cpuNanoseconds ?? 0) / 1e9;
    await eventually(async () => ((await seconds(busy)) > 0.3 ? true : undefined), 'the busy one to use the processor');
    expect(await seconds(idle)).toBeLessThan(await seconds(busy));
    const [stats] = await measure({ id: idle });
    expect(stats).toMatchObject({ id: idle, metadata: { name: 'idle' } });
    expect(stats?.memoryWorkingSetBytes).toBeGreaterThan(50_000);
    await Promise.all([busy, idle].map((id) => runtime.stopContainer(id, 0)));
    expect(await measure()).toEqual([]);
  });

  it('[edged-process-2] gives exactly the configured variables, also those with names that no shell knows', async () => {
    const runtime = await shop.open({ path: '/usr/bin:/bin' });
    const env = { A: 'x y', 'db.password': `it's\n"secret" $(id)`, 'with-dash': '', PWD: '/nowhere', IFS: ',', EMPTY: '' };
    const id = await start(runtime, ['env', '-0'], {}, env);
    const printed = (await output(await exited(runtime, id))).split('\0').slice(0, -1);
    const root = files(id, 'root');
    expect(printed.sort()).toEqual(Object.entries({ ...env, PATH: '/usr/bin:/bin', HOME: root, EDGE_ROOT: root }).map(([name, value]) => `${name}=${value}`).sort());
  });

  it('[edged-process-3] shows no value of a variable in the arguments of a process, and keeps its files to itself', async () => {
    const runtime = await shop.open();
    const id = await start(runtime, sh('echo ready; exec sleep 60'), {}, { SECRET: 'hush-1', 'a.secret': 'hush-2' });
    await logged(runtime, id, 'ready');
    for (const file of ['keeper', 'main']) expect(await readFile(`/proc/${await pidIn(files(id, 'run', file))}/cmdline`, 'utf8')).not.toContain('hush');
    expect((await stat(join(shop.root, 'containers'))).mode & 0o077).toBe(0);
    expect((await stat(files(id, 'main.sh'))).mode & 0o077).toBe(0);
  });

  it('[edged-process-4] mounts are found below EDGE_ROOT, which is also the working directory', async () => {
    await mkdir(join(shop.folder, 'config'));
    await writeFile(join(shop.folder, 'config/greeting'), 'hello\n');
    const runtime = await shop.open();
    const id = await start(runtime, sh('cat "$EDGE_ROOT/etc/config/greeting" etc/config/greeting; echo new >etc/config/written'), {
      mounts: [{ containerPath: '/etc/config', hostPath: join(shop.folder, 'config') }],
    });
    expect(await output(await exited(runtime, id))).toBe('hello\nhello\n');
    expect(await readFile(join(shop.folder, 'config/written'), 'utf8')).toBe('new\n');
    await runtime.removeContainer(id);
    expect(await readFile(join(shop.folder, 'config/greeting'), 'utf8')).toBe('hello\n');
  });

  it('[edged-process-5] the working directory is that of a mount, else that of the host, else the root', async () => {
    const data = join(shop.folder, 'data');
    await mkdir(data);
    const runtime = await shop.open();
    const where = async (workingDir: string, attempt: number): Promise<string> => {
      const id = await start(runtime, ['/bin/pwd', '-P'], { workingDir, mounts: [{ containerPath: '/usr', hostPath: data }], metadata: { name: 'main', attempt }, logPath: `${attempt}.log` });
      return (await output(await exited(runtime, id))).trim().replace(id, 'ID');
    };
    expect(await where('/usr', 0)).toBe(data);
    expect(await where('/etc', 1)).toBe('/etc');
    expect(await where('/no/such/place', 2)).toBe(files('ID', 'root'));
  });

  it('[edged-process-6] nothing outlives the main process, not even what left its session', async () => {
    const runtime = await shop.open();
    const id = await start(runtime, sh('sleep 600 & setsid sleep 601 & setsid sh -c "trap \\"\\" TERM HUP; while :; do sleep 0.1; done" & sleep 0.3; echo ready; exit 5'));
    await exited(runtime, id);
    expect(await runtime.containerStatus(id)).toMatchObject({ exitCode: 5 });
    expect(await shop.processes()).toEqual([]);
  });

  it.each<[string, number]>([
    ['kill 0; sleep 5', 143],
    ['kill -9 0; sleep 5', 137],
    ['trap "exit 6" TERM; kill 0; sleep 5', 6],
    ['trap "" HUP INT QUIT TERM; kill -HUP 0; kill -INT 0; kill -QUIT 0; kill 0; exit 8', 8],
    ['kill -INT $$; exit 1', 130],
  ])('[edged-process-7] a script that does "%s" ends with %i', async (script, code) => {
    const runtime = await shop.open();
    const id = await start(runtime, sh(script));
    expect(await exited(runtime, id)).toMatchObject({ exitCode: code, reason: 'Error' });
    expect(await shop.processes()).toEqual([]);
  });

  it('[edged-process-8] when the keeper is killed the process goes too, also while no agent runs', async () => {
    const first = await shop.open();
    const id = await start(first, sh('echo ready; sleep 600'));
    await logged(first, id, 'ready');
    await first[Symbol.asyncDispose]();
    process.kill(await pidIn(files(id, 'run/keeper')), 'SIGKILL');
    const second = await shop.open();
    // It takes the system a moment to end a process.
    expect(await exited(second, id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'Error' });
    expect(await shop.processes()).toEqual([]);
  });

  it('[edged-process-9] a container without a command is refused with words', async () => {
    const runtime = await shop.open();
    const created = create(runtime, []);
    await expect(created).rejects.toThrow(/does not use images/);
    await expect(created).rejects.toSatisfy((error) => errorCode(error) === 'runtime.no-command');
    await expect(create(runtime, ['a\0b'])).rejects.toSatisfy((error) => errorCode(error) === 'runtime.invalid-config');
    expect(await runtime.listContainers()).toEqual([]);
  });

  it.each([
    ['no-such-command-anywhere', 'executable file not found in $PATH'],
    ['/no/such/file', 'no such file or directory'],
    ['/etc', 'permission denied'],
  ])('[edged-process-10] the start of %s fails and says "%s"', async (command, words) => {
    const runtime = await shop.open();
    const id = await create(runtime, [command]);
    const call = runtime.startContainer(id);
    await expect(call).rejects.toThrow(words);
    await expect(call).rejects.toSatisfy((error) => errorCode(error) === 'runtime.start-failed');
    const status = await runtime.containerStatus(id);
    expect(status).toMatchObject({ state: 'exited', exitCode: 128, reason: 'StartError', startedAt: 0 });
    expect(status.message).toContain(words);
    await runtime[Symbol.asyncDispose]();
    expect(await (await shop.open()).containerStatus(id)).toEqual(status);
  });

  it('[edged-process-11] keeps the files of waiting output small and loses no byte', async () => {
    const rawLimit = 300_000;
    const runtime = await shop.open({ rawLimit });
    const source = join(shop.folder, 'noise');
    const noise = Buffer.from(Array.from({ length: 3_000_000 }, (_, n) => (n * 2_654_435_761) >>> 24));
    await writeFile(source, noise);
    const go = join(shop.folder, 'go');
    // dd writes piece by piece; the second half comes when the first one was taken off the disk.
    const id = await start(runtime, sh('dd bs=1000 if="$1" 2>/dev/null; while [ ! -e "$2" ]; do sleep 0.05; done; dd bs=999 if="$1" 2>/dev/null', source, go));
    await eventually(async () => {
      const { logPath } = await runtime.containerStatus(id);
      const logged = outputOf(await readFile(logPath, 'latin1').catch(() => ''), 'stdout').length;
      const waiting = (await stat(files(id, 'run/stdout'))).size;
      return logged === noise.length && waiting < rawLimit ? true : undefined;
    }, 'the first half is logged and its file small again');
    await writeFile(go, '');
    const status = await eventually(async () => {
      const now = await runtime.containerStatus(id);
      return now.state === 'exited' ? now : undefined;
    }, 'the container exits');
    expect(status.exitCode).toBe(0);
    const text = outputOf(await readFile(status.logPath, 'latin1'), 'stdout');
    const sum = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
    expect(text.length).toBe(2 * noise.length);
    expect(sum(Buffer.from(text, 'latin1'))).toBe(sum(Buffer.concat([noise, noise])));
    expect(existsSync(files(id, 'run/stdout'))).toBe(false);
  });

  it('[edged-process-22] empties the file of waiting output under many writers without losing a byte', async () => {
    const runtime = await shop.open({ rawLimit: 50_000 });
    const letters = ['a', 'b', 'c', 'd', 'e', 'f'];
    const size = 1_000_000;
    for (const letter of letters) await writeFile(join(shop.folder, letter), letter.repeat(size));
    const id = await start(runtime, sh('cd "$1"; for l in a b c d e f; do dd bs=100 if=$l 2>/dev/null & done; wait', shop.folder));
    const text = await output(await exited(runtime, id));
    const counts = Object.fromEntries(letters.map((letter) => [letter, text.split(letter).length - 1]));
    expect(counts).toEqual(Object.fromEntries(letters.map((letter) => [letter, size])));
  });

  it('[edged-process-12] output waits while the disk is full, which is told once, and no line is lost', async () => {
    const log = collectingLogger();
    const runtime = await shop.open({ pollMs: 50 }, log);
    const path = join(shop.logRoot, 'pod/main/0.log');
    await mkdir(join(shop.logRoot, 'pod/main'), { recursive: true });
    await symlink('/dev/full', path);
    const id = await start(runtime, sh('echo one; sleep 0.3; echo two; exec sleep 60'));
    await eventually(async () => log.lines.find((line) => line.level === 'warn'), 'the trouble is told');
    await sleep(500, never);
    expect(log.lines.map((line) => [line.level, line.fields?.['log']])).toEqual([['warn', path]]);
    await rm(path);
    await runtime.reopenContainerLog(id);
    expect(await logged(runtime, id, 'two')).toBe('one\ntwo\n');
  });

  it('[edged-process-13] dispose leaves the pods running and refuses further calls', async () => {
    const first = await shop.open();
    const id = await start(first, sh('echo ready; exec sleep 60'));
    await logged(first, id, 'ready');
    await first[Symbol.asyncDispose]();
    await expect(first.listContainers()).rejects.toSatisfy((error) => errorCode(error) === 'runtime.closed');
    const second = await shop.open();
    expect((await second.containerStatus(id)).state).toBe('running');
  });

  it('[edged-process-14] a pod that the killed agent had paused goes on', async () => {
    const first = await shop.open();
    const id = await start(first, sh('n=0; while :; do n=$((n+1)); echo "n $n"; sleep 0.05; done'));
    await logged(first, id, 'n 2\n');
    await first[Symbol.asyncDispose]();
    process.kill(-(await pidIn(files(id, 'run/keeper'))), 'SIGSTOP');
    const second = await shop.open();
    const before = await readFile((await second.containerStatus(id)).logPath, 'utf8');
    const last = Number(/n (\d+)\n$/.exec(outputOf(before, 'stdout'))?.[1]);
    await logged(second, id, `n ${last + 5}\n`);
  });

  it('[edged-process-15] another process with the same pid is not taken for the container', async () => {
    const first = await shop.open();
    const id = await start(first, sh('echo ready; exec sleep 60'));
    await logged(first, id, 'ready');
    await first[Symbol.asyncDispose]();
    // As if the keeper had ended long ago and this test now had its pid.
    for (const file of ['keeper', 'main']) {
      const [, boot, line] = (await readFile(files(id, 'run', file), 'utf8')).split('\n');
      await writeFile(files(id, 'run', file), `${process.pid}\n${boot}\n${line?.replace(/^\d+/, String(process.pid))}\n`);
    }
    const second = await shop.open();
    expect(await second.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 137 });
    await second.removePodSandbox((await second.containerStatus(id)).sandboxId);
  });

  it('[edged-process-16] after a restart of the machine the sandbox is not ready and the end not known', async () => {
    const first = await shop.open();
    const id = await start(first, sh('echo ready; exec sleep 60'));
    await logged(first, id, 'ready');
    const { sandboxId } = await first.containerStatus(id);
    await first[Symbol.asyncDispose]();
    process.kill(-(await pidIn(files(id, 'run/keeper'))), 'SIGKILL');
    const other = async (path: string): Promise<void> => writeFile(path, (await readFile(path, 'utf8')).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '00000000-0000-0000-0000-000000000000'));
    for (const path of [files(id, 'run/keeper'), files(id, 'run/main'), join(shop.root, 'sandboxes', `${sandboxId}.json`)]) await other(path);
    const second = await shop.open();
    expect(await second.containerStatus(id)).toMatchObject({ state: 'exited', exitCode: 137, reason: 'ContainerStatusUnknown' });
    expect((await second.podSandboxStatus(sandboxId)).state).toBe('notready');
  });

  it('[edged-process-17] clears away what was half made, half removed or lost by the disk, with its processes', async () => {
    const first = await shop.open();
    const id = await start(first, sh('setsid sleep 61 & echo ready; exec sleep 60'));
    await logged(first, id, 'ready');
    await first[Symbol.asyncDispose]();
    await writeFile(files(id, 'container.json'), '');
    await mkdir(files('.new-1', 'run'), { recursive: true });
    await mkdir(files('.removed-2', 'run'), { recursive: true });
    await writeFile(join(shop.root, 'sandboxes/x.json.next'), '{');
    const second = await shop.open();
    expect(await second.listContainers()).toEqual([]);
    expect(await readdir(join(shop.root, 'containers'))).toEqual([]);
    expect(await readdir(join(shop.root, 'sandboxes'))).toHaveLength(1);
    expect(await shop.processes()).toEqual([]);
  });

  it('[edged-process-18] two agents that start the same container start one process', async () => {
    const witness = join(shop.folder, 'witness');
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const first = await shop.open();
      const id = await create(first, sh('echo started >>"$1"; sleep 0.2; exit 7', witness), { metadata: { name: 'main', attempt }, logPath: '' });
      const second = await shop.open();
      await Promise.all([first.startContainer(id), second.startContainer(id)]);
      for (const runtime of [first, second]) expect(await exited(runtime, id)).toMatchObject({ exitCode: 7 });
      expect((await readFile(witness, 'utf8')).trim().split('\n')).toHaveLength(attempt + 1);
      await first[Symbol.asyncDispose]();
      await second[Symbol.asyncDispose]();
    }
  });

  it('[edged-process-19] commands of an exec see root, variables and working directory, and go when they are late', async () => {
    const runtime = await shop.open();
    const id = await start(runtime, sh('exec sleep 60'), {}, { 'odd.name': 'v' });
    const result = await runtime.execSync(id, ['/usr/bin/env'], 10);
    expect(Buffer.from(result.stdout).toString()).toContain('odd.name=v\n');
    await expect(runtime.execSync(id, ['no-such-command'], 10)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.exec-failed');
    expect((await runtime.execSync(id, sh('kill -9 $$'), 10)).exitCode).toBe(137);
    expect((await runtime.execSync(id, sh('sleep 50 & echo done'), 10)).exitCode).toBe(0);
    await expect(runtime.execSync(id, sh('sleep 51 & sleep 52'), 0.2)).rejects.toSatisfy((error) => errorCode(error) === 'runtime.exec-timeout');
    await runtime.stopContainer(id, 0);
    expect(await shop.processes()).toEqual([]);
  });

  it('[edged-process-20] a container without a log path runs without a log', async () => {
    const runtime = await shop.open();
    const id = await start(runtime, sh('echo lost; exit 2'), { logPath: '' });
    expect(await exited(runtime, id)).toMatchObject({ exitCode: 2, logPath: '' });
    expect(existsSync(files(id, 'run/stdout'))).toBe(false);
  });
});
