import { join } from 'node:path';
import { errorCode, errorText } from '@edge/core';
import { expect, it } from 'vitest';
import { CriErrors, findRuntime, runtimeSockets } from '../src/index.js';
import { containerd2, ScriptedRuntime } from './scripted-runtime.js';

const crio = { version: () => ({ version: '0.1.0', runtimeName: 'cri-o', runtimeVersion: '1.31.0', runtimeApiVersion: 'v1' }) };

it('[cri-2.1] takes the first socket with a runtime behind it, and says which version it met', async () => {
  await using first = await ScriptedRuntime.start(containerd2);
  await using second = await ScriptedRuntime.start(crio);
  const absent = join(first.folder, 'absent.sock');
  expect(await findRuntime(undefined, { sockets: [absent, second.socket, first.socket] })).toEqual({
    endpoint: `unix://${second.socket}`,
    version: { name: 'cri-o', version: '1.31.0', apiVersion: 'v1' },
  });
  expect((await findRuntime('', { sockets: [first.socket, second.socket] })).version.name).toBe('containerd');
  expect(runtimeSockets[0]).toBe('/run/containerd/containerd.sock');
});

it('[cri-2.2] a configured one is the only one tried', async () => {
  await using server = await ScriptedRuntime.start(containerd2);
  await using other = await ScriptedRuntime.start(crio);
  const sockets = [other.socket];
  for (const configured of [server.socket, `unix://${server.socket}`]) expect((await findRuntime(configured, { sockets })).version.name).toBe('containerd');
  await expect(findRuntime(`${server.socket}.absent`, { sockets })).rejects.toThrow(`${server.socket}.absent (Version): there is no such socket`);
});

it('[cri-2.3] with none found the error names every socket, what is wrong there, and the remedy', async () => {
  await using silent = await ScriptedRuntime.start({ version: () => new Promise(() => undefined) });
  const absent = join(silent.folder, 'absent.sock');
  const error: unknown = await findRuntime(undefined, { sockets: [absent, silent.socket], timeoutMs: 100 }).catch((reason: unknown) => reason);
  expect(errorCode(error)).toBe(CriErrors.noneFound);
  expect(errorText(error)).toContain(`answers at ${absent} (Version): there is no such socket`);
  expect(errorText(error)).toContain(`at ${silent.socket} did not answer Version within 0.1 s`);
  expect(errorText(error)).toContain('set containerRuntimeEndpoint');
});

it('[cri-2.4] a containerd whose cri plugin is switched off is told from one that is too old', async () => {
  await using off = await ScriptedRuntime.start({ listImages: () => ({ images: [] }) });
  const noCri: unknown = await findRuntime(off.socket).catch((reason: unknown) => reason);
  expect(errorCode(noCri)).toBe(CriErrors.noCri);
  expect(errorText(noCri)).toContain('disabled_plugins');
  expect(errorText(noCri)).toContain(off.socket);

  await using old = await ScriptedRuntime.start({ version: () => ({ version: '0.1.0', runtimeName: 'containerd', runtimeVersion: '1.5.9', runtimeApiVersion: 'v1alpha2' }) }, ['runtime.v1alpha2.RuntimeService']);
  const wrongVersion: unknown = await findRuntime(old.socket).catch((reason: unknown) => reason);
  expect(errorCode(wrongVersion)).toBe(CriErrors.wrongVersion);
  expect(errorText(wrongVersion)).toMatch(/^containerd 1\.5\.9 at .* v1alpha2 only.* update it/);
});
