import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '@edge/testing';
import { eventually, PROGRAM } from './agent.js';

const run = promisify(execFile);

/** `edgecore dev` as a user starts it. */
export interface Dev extends AsyncDisposable {
  readonly output: string;
  readonly child: ChildProcess;
  /** Resolves when the output holds the text. */
  said(text: string | RegExp, timeoutMs?: number): Promise<void>;
  kubectl(...args: string[]): Promise<string>;
  /** As Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
  /** Resolves with the exit code when it ends by itself. */
  ended(): Promise<number | null>;
}

/** On nine ports of its own: others look for the usual ones at the same time. */
export async function startDev(folder: string, args: readonly string[] = [], program: readonly string[] = [process.execPath, PROGRAM]): Promise<Dev> {
  const [command = '', ...first] = program;
  const child = spawn(command, [...first, 'dev', '--data', folder, '--node', 'edge-e2e', '--port-base', String(await freePorts(9)), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NODE_OPTIONS: '' } });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  const ended = async (): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    return (await once(child, 'exit'))[0] as number | null;
  };
  const interrupt = (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    return ended();
  };
  return {
    get output() {
      return output;
    },
    child,
    said: (text, timeoutMs = 90_000) =>
      eventually(() => (typeof text === 'string' ? output.includes(text) : text.test(output)), timeoutMs, () => `edgecore dev did not say ${String(text)}; it said:\n${output}`),
    kubectl: async (...kubectlArgs) => {
      const { stdout } = await run('kubectl', ['--kubeconfig', join(folder, 'cloud', 'kubeconfig'), ...kubectlArgs], { timeout: 150_000 });
      return stdout;
    },
    interrupt,
    ended,
    [Symbol.asyncDispose]: async () => {
      await interrupt();
    },
  };
}
