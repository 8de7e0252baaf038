import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { freePorts } from '@edge/testing';
import { parse, stringify } from 'yaml';
import { order } from '../../src/control/control-client.js';
import type { SwapRequest } from '../../src/control/control-protocol.js';
import type { ModuleRow, SwapReport } from '../../src/control/module-orders.js';
import { PROGRAM } from '../support/agent.js';
import { openScene, type Scene } from '../support/scene.js';

/** An agent with every module that can run beside those of other tests, and ways to give it orders. */
export interface SwapScene extends Scene {
  readonly socket: string;
  readonly roleFile: string;
  /** Where the agent keeps versions of modules. */
  readonly modules: string;
  list(): Promise<readonly ModuleRow[]>;
  row(role: string): Promise<ModuleRow | undefined>;
  /** As the command does once the version is fetched; without an entry, back to the built-in module. */
  swap(role: string, entry?: SwapRequest['entry'], options?: { onStep?: (step: string) => void; signal?: AbortSignal; readyTimeoutSeconds?: number }): Promise<SwapReport>;
  /** `edgecore module …` as a person runs it. */
  module(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
}

const long = AbortSignal.timeout(600_000);

export async function openSwapScene(): Promise<SwapScene> {
  const ports = await freePorts(3);
  const scene = await openScene({ edit: (text) => withAll(text, ports) });
  const node = join(scene.folder, 'node');
  const socket = join(node, 'agent', 'edgecore.sock');
  const list = async (): Promise<readonly ModuleRow[]> => (await order(socket, { order: 'list' }, () => undefined, long)) as ModuleRow[];
  return Object.assign(scene, {
    socket,
    roleFile: join(node, 'edge-modules.yaml'),
    modules: join(node, 'agent', 'modules'),
    list,
    row: async (role: string) => (await list()).find((row) => row.role === role),
    swap: async (role: string, entry?: SwapRequest['entry'], { onStep = () => undefined, signal = long, readyTimeoutSeconds }: { onStep?: (step: string) => void; signal?: AbortSignal; readyTimeoutSeconds?: number } = {}) =>
      (await order(socket, { order: 'swap', role, entry, readyTimeoutSeconds }, onStep, signal)) as SwapReport,
    module: (...args: string[]) =>
      new Promise<{ code: number; out: string; err: string }>((resolve) => {
        const env = { ...process.env, NODE_OPTIONS: '' };
        execFile(process.execPath, [PROGRAM, 'module', ...args, '--config', join(node, 'edgecore.yaml')], { timeout: 120_000, env }, (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code ?? -1), out, err }));
      }),
  });
}

/** Not the mesh, which would take the machine's own network. */
function withAll(text: string, ports: number): string {
  const config = parse(text) as { modules: Record<string, Record<string, unknown>>; edge: Record<string, unknown> };
  config.modules['metaManager'] = { metaServer: { enable: true, server: `127.0.0.1:${ports}` } };
  config.modules['serviceBus'] = { enable: true, port: ports + 1 };
  config.modules['dbTest'] = { enable: true };
  config.modules['edgeStream'] = { enable: true, server: '127.0.0.1:1' };
  config.edge['testManager'] = { port: ports + 2 };
  config.edge['upgrade'] = { settleSeconds: 0 };
  return stringify(config);
}
