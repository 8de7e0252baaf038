import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { ExecResult } from '@edge/core';
import { abortError, EdgeError } from '@edge/core';
import { RuntimeErrors } from './errors.js';
import { sendSignal } from './process-table.js';

const OUTPUT_LIMIT = 16 * 1024 * 1024;
/** How long output is waited for when the command ended but something it started holds the pipe. */
const PIPE_LINGER_MS = 1_000;

export interface ExecRequest {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  /** 0 for no limit. */
  readonly timeoutSeconds: number;
}

/** Runs a command and collects its output. After the time, or when aborted, it is killed with its process group. */
export async function exec(request: ExecRequest, signal?: AbortSignal): Promise<ExecResult> {
  const [file, ...args] = request.command;
  if (file === undefined) throw new EdgeError(RuntimeErrors.invalidConfig, 'the command to run is empty');
  const child = launch(file, args, request);
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const kill = (): void => {
    if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
  };

  let stopped: EdgeError | undefined;
  const stop = (reason: EdgeError): void => {
    stopped ??= reason;
    kill();
  };
  const onAbort = (): void => stop(abortError(signal as AbortSignal));
  const timer =
    request.timeoutSeconds > 0
      ? setTimeout(
          () => stop(new EdgeError(RuntimeErrors.execTimeout, `${JSON.stringify(request.command)} did not end within ${request.timeoutSeconds} s`)),
          request.timeoutSeconds * 1000,
        )
      : undefined;
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      let linger: NodeJS.Timeout | undefined;
      child.once('error', (cause) => reject(notStarted(file, cause)));
      child.once('exit', () => {
        linger = setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, PIPE_LINGER_MS);
      });
      child.once('close', (code, killedBy) => {
        clearTimeout(linger);
        resolve(code ?? 128 + (killedBy === null ? 0 : constants.signals[killedBy]));
      });
    });
    if (stopped) throw stopped;
    return { stdout: stdout(), stderr: stderr(), exitCode };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function launch(file: string, args: string[], request: ExecRequest): ChildProcessByStdio<null, Readable, Readable> {
  try {
    return spawn(file, args, { cwd: request.directory, env: { ...request.environment }, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (cause) {
    // Some reasons (arguments too long, a zero byte in them) are thrown, others come as an event.
    throw notStarted(file, cause);
  }
}

function notStarted(file: string, cause: unknown): EdgeError {
  return new EdgeError(RuntimeErrors.execFailed, `${JSON.stringify(file)} could not be started`, { cause });
}

/** Gathers a stream; what exceeds the limit is read and dropped, so that the command does not block. */
function collect(stream: Readable): () => Buffer {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    const kept = chunk.subarray(0, OUTPUT_LIMIT - size);
    size += kept.length;
    if (kept.length > 0) chunks.push(kept);
  });
  return () => Buffer.concat(chunks);
}
