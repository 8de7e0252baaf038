import { existsSync } from 'node:fs';
import { EdgeError } from '@edge/core';
import { detectService, Openrc, runCommand, SERVICE_KINDS, Systemd, type ServiceKind } from '@edge/upgrade';

/**
 * Reads `--service`; without it what this machine has.
 * @throws EdgeError `cli.flag`
 */
export function readService(value: string | undefined): ServiceKind {
  if (value === undefined) return detectService({ systemdRuns: existsSync('/run/systemd/system'), openrcInstalled: existsSync('/sbin/openrc-run') });
  const kind = SERVICE_KINDS.find((known) => known === value);
  if (!kind) throw new EdgeError('cli.flag', `--service is "${value}", it must be ${SERVICE_KINDS.join(', ')}`);
  return kind;
}

/** The machine's service manager, for a kind that it has. */
export function managerOf(kind: ServiceKind): Systemd | Openrc | undefined {
  if (kind === 'none') return undefined;
  return kind === 'systemd' ? new Systemd({ run: runCommand }) : new Openrc({ run: runCommand });
}
