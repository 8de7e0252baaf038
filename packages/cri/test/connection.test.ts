import { rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import type { PodSandboxConfig } from '@edge/core';
import { errorCode, errorText, isAbort, sleep } from '@edge/core';
import { collectingLogger, eventually } from '@edge/testing';
import { expect, it } from 'vitest';
import { createCriRuntime, CriErrors } from '../src/index.js';
import { containerd2, Refusal, ScriptedRuntime } from './scripted-runtime.js';

const pod: PodSandboxConfig = { metadata: { name: 'p', namespace: 'n', uid: 'u', attempt: 0 }, logDirectory: '/l', labels: {}, annotations: {} };
const never = new AbortController().signal;

function code(expected: string): (error: unknown) => boolean {
  return (error) => errorCode(error) === expected;
}

it('[cri-1.1] meets the runtime, says which version it is, and connects by path or URL', async () => {
  await using server = await ScriptedRuntime.start(containerd2);
  const log = collectingLogger();
  for (const endpoint of [server.socket, `unix://${server.socket}`]) {
    await using runtime = await createCriRuntime({ endpoint, log });
    expect(await runtime.version()).toEqual({ name: 'containerd', version: 'v2.1.0', apiVersion: 'v1' });
  }
  expect(JSON.stringify(log.lines)).toContain('v2.1.0');
  for (const endpoint of ['tcp://127.0.0.1:1', 'relative/path', '']) await expect(createCriRuntime({ endpoint })).rejects.toSatisfy(code(CriErrors.badEndpoint));
});

it('[cri-1.2] a runtime that accepts and never answers costs the time-out, not for ever, and an abort ends the wait at once', async () => {
  await using server = await ScriptedRuntime.start({ ...containerd2, listImages: () => new Promise(() => undefined) });
  await using runtime = await createCriRuntime({ endpoint: server.socket, timeoutMs: 2_000 });
  const error: unknown = await runtime.listImages().catch((reason: unknown) => reason);
  expect(errorCode(error)).toBe(CriErrors.timeout);
  expect(errorText(error)).toBe(`the container runtime at ${server.socket} did not answer ListImages within 2 s`);

  // Not even HTTP/2: something accepts and is silent.
  const socket = join(server.folder, 'mute.sock');
  const mute = createServer().listen(socket);
  try {
    await expect(createCriRuntime({ endpoint: socket, timeoutMs: 200 })).rejects.toSatisfy(code(CriErrors.timeout));
    await expect(createCriRuntime({ endpoint: socket, signal: AbortSignal.timeout(50) })).rejects.toSatisfy(isAbort);
  } finally {
    mute.close();
  }
});

it('[cri-1.3] an aborted call tells the runtime to give up', async () => {
  const heard: string[] = [];
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    pullImage: (_, call) => {
      heard.push('pull');
      call.on('cancelled', () => heard.push('cancelled'));
      return new Promise(() => undefined);
    },
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  const abort = new AbortController();
  const pull = runtime.pullImage('i', undefined, abort.signal);
  await eventually(async () => heard[0], 'the pull arrives');
  abort.abort();
  await expect(pull).rejects.toSatisfy(isAbort);
  await eventually(async () => heard[1], 'the cancellation arrives');
});

it('[cri-1.4] each call has its time: twice for a sandbox, grace and more for a stop, none for a pull or an exec without limit', async () => {
  const left = new Map<string, number>();
  const note = (name: string, call: { getDeadline(): Date | number }): void => void left.set(name, Math.round((Number(call.getDeadline()) - Date.now()) / 1000));
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    listContainers: (_, call) => (note('list', call), { containers: [] }),
    runPodSandbox: (_, call) => (note('run', call), { podSandboxId: 's' }),
    stopContainer: (request, call) => (note(`stop ${request.timeout}`, call), {}),
    execSync: (request, call) => (note(`exec ${request.timeout}`, call), { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0 }),
    pullImage: (_, call) => (note('pull', call), { imageRef: 'r' }),
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket, timeoutMs: 60_000 });
  await runtime.listContainers();
  await runtime.runPodSandbox(pod);
  await runtime.stopContainer('c', 30);
  await runtime.execSync('c', ['x'], 1.2);
  await runtime.execSync('c', ['x'], 0);
  await runtime.pullImage('i');
  expect(Object.fromEntries(left)).toEqual({ list: 60, run: 120, 'stop 30': 90, 'exec 2': 62, 'exec 0': Infinity, pull: Infinity });
});

it.each([
  [status.NOT_FOUND, CriErrors.notFound, 'NotFound'],
  [status.ALREADY_EXISTS, CriErrors.exists, 'AlreadyExists'],
  [status.INVALID_ARGUMENT, CriErrors.invalidConfig, 'InvalidArgument'],
  [status.UNIMPLEMENTED, CriErrors.unimplemented, 'Unimplemented'],
  [status.UNKNOWN, CriErrors.failed, 'Unknown'],
  [status.CANCELLED, CriErrors.failed, 'Canceled'],
  [status.FAILED_PRECONDITION, CriErrors.failed, 'FailedPrecondition'],
  [status.DEADLINE_EXCEEDED, CriErrors.failed, 'DeadlineExceeded'],
])('[cri-1.5] what the runtime says is passed on with its code: %i is %s', async (grpc, expected, name) => {
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    updateContainerResources: () => {
      throw new Refusal(grpc, 'no such luck');
    },
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  const error: unknown = await runtime.updateContainerResources('c', {}).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: expected, message: `rpc error: code = ${name} desc = no such luck`, call: 'UpdateContainerResources', socket: server.socket });
});

it('[cri-1.6] one that is still starting, one that is not there and one that cannot be spoken to are unavailable, and the text says which', async () => {
  await using server = await ScriptedRuntime.start({
    version: () => {
      throw new Refusal(status.UNKNOWN, 'server is not initialized yet');
    },
  });
  const failure = (endpoint: string): Promise<unknown> => createCriRuntime({ endpoint }).catch((reason: unknown) => reason);
  const starting = await failure(server.socket);
  expect(errorCode(starting)).toBe(CriErrors.unavailable);
  expect(errorText(starting)).toBe(`no container runtime answers at ${server.socket} (Version): it is still starting`);
  expect(errorText(await failure(join(server.folder, 'absent.sock')))).toContain('there is no such socket; the runtime is not running');
  const file = join(server.folder, 'file');
  await writeFile(file, '');
  expect(errorText(await failure(file))).toMatch(/nobody listens there|not a socket/);
});

it('[cri-1.7] after the runtime was away, calls work again soon after its return', async () => {
  const list = { ...containerd2, listImages: () => ({ images: [] }) };
  await using server = await ScriptedRuntime.start(list);
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  // A busy machine may be late once, not each time.
  const waits: number[] = [];
  while (waits.length < 10 && !waits.some((wait) => wait < 1_500)) {
    await server.stop();
    // Long enough for the pauses between tries to have grown.
    const away = Date.now() + 2_000;
    while (Date.now() < away) {
      await expect(runtime.listImages()).rejects.toSatisfy(code(CriErrors.unavailable));
      await sleep(100, never);
    }
    await server.serve(list);
    const returned = Date.now();
    await eventually(() => runtime.listImages().catch(() => undefined), 'the runtime answers');
    waits.push(Date.now() - returned);
  }
  expect(Math.min(...waits)).toBeLessThan(1_500);
});

it('[cri-1.8] what was under way when the client is disposed of fails, and so does what comes later', async () => {
  await using server = await ScriptedRuntime.start({ ...containerd2, listImages: () => new Promise(() => undefined), execSync: () => new Promise(() => undefined) });
  const runtime = await createCriRuntime({ endpoint: server.socket });
  const calls = [runtime.listImages(), runtime.execSync('c', ['x'], 0)].map((call) => expect(call).rejects.toSatisfy(code(CriErrors.closed)));
  await sleep(50, never);
  await runtime[Symbol.asyncDispose]();
  await Promise.all(calls);
  await expect(runtime.listImages()).rejects.toSatisfy(code(CriErrors.closed));
});

it('[cri-1.9] answers may have up to 16 MiB', async () => {
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    execSync: (request) => ({ stdout: Buffer.alloc(Number(request.cmd[0])), stderr: Buffer.alloc(0), exitCode: 0 }),
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  const size = 16 * 1024 * 1024;
  expect((await runtime.execSync('c', [`${size - 100}`], 0)).stdout).toHaveLength(size - 100);
  await expect(runtime.execSync('c', [`${size + 1}`], 0)).rejects.toSatisfy(code(CriErrors.failed));
});

it('[cri-1.10] images may be asked for at another socket, and one that does not answer there is named at the start', async () => {
  await using server = await ScriptedRuntime.start(containerd2);
  await using images = await ScriptedRuntime.start({ imageFsInfo: () => ({ imageFilesystems: [] }), listImages: () => ({ images: [] }) });
  const imageEndpoint = `unix://${images.socket}`;
  await using runtime = await createCriRuntime({ endpoint: server.socket, imageEndpoint });
  expect(await runtime.listImages()).toEqual([]);
  await rm(images.socket);
  await images.stop();
  await expect(createCriRuntime({ endpoint: server.socket, imageEndpoint })).rejects.toThrow(images.socket);
});

it('[cri-1.11] two removals of one thing wait for each other, and a second one finds it gone', async () => {
  let under = 0;
  let removals = 0;
  await using server = await ScriptedRuntime.start({
    ...containerd2,
    removeContainer: async () => {
      under += 1;
      if (under > 1) throw new Refusal(status.UNKNOWN, 'already in removing state');
      await sleep(20, never);
      under -= 1;
      removals += 1;
      if (removals > 1) throw new Refusal(status.NOT_FOUND, 'gone');
      return {};
    },
  });
  await using runtime = await createCriRuntime({ endpoint: server.socket });
  const abort = new AbortController();
  const impatient = Promise.all([runtime.removeContainer('c'), runtime.removeContainer('c', abort.signal)]);
  abort.abort();
  await expect(impatient).rejects.toSatisfy(isAbort);
  await Promise.all([runtime.removeContainer('c'), runtime.removeContainer('c')]);
  expect(removals).toBe(3);
});
