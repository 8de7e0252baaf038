import { execFile } from 'node:child_process';
import { EdgeError } from '@edge/core';

/** Tells the service manager of a few assignments, as `READY=1`. */
export type Notify = (assignments: readonly string[]) => Promise<void>;

/** More than it ever takes; the service manager may be busy. */
const TIMEOUT_MS = 20_000;

/**
 * Tells systemd through its own small program, because Node.js has no datagram sockets of the unix family. A process each
 * time, so it is for what happens rarely.
 * @param socket value of `NOTIFY_SOCKET`
 */
export function systemdNotify(socket: string, program: string = 'systemd-notify'): Notify {
  return (assignments) =>
    new Promise((resolve, reject) => {
      execFile(program, [...assignments], { env: { PATH: process.env['PATH'], NOTIFY_SOCKET: socket }, timeout: TIMEOUT_MS }, (error, _, stderr) => {
        if (!error) return resolve();
        reject(new EdgeError('cli.service', `the service manager could not be told ${assignments.join(', ')}: ${stderr.trim() || error.message}`, { cause: error }));
      });
    });
}
