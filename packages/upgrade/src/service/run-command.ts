import { execFile } from 'node:child_process';
import { EdgeError } from '@edge/core';
import { UpgradeErrors } from '../errors.js';

/**
 * Runs a program to its end and gives what it printed, trimmed.
 * @throws EdgeError `upgrade.service` with the command and what it said
 */
export type RunCommand = (program: string, args: readonly string[]) => Promise<string>;

/** No command of a service manager takes longer, unless it waits for something that will not come. */
const TIMEOUT_MS = 300_000;

export const runCommand: RunCommand = (program, args) =>
  new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: TIMEOUT_MS, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout.trim());
      const said = `${stderr}${stdout}`.trim() || error.message;
      reject(new EdgeError(UpgradeErrors.service, `${[program, ...args].join(' ')} failed: ${said}`, { cause: error }));
    });
  });
