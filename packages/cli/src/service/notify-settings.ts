/** What systemd has put into the environment of a service that may notify it. */
export interface NotifySettings {
  /** Path or abstract name (`@…`) of its datagram socket. */
  readonly socket: string;
  /** Milliseconds within which it wants a sign of life; undefined when it does not watch this process. */
  readonly watchdogMs: number | undefined;
}

/**
 * Reads the variables of sd_notify(3).
 * @param pid of this process: a watchdog meant for another is none
 * @returns undefined when nobody is to be notified
 */
export function readNotifySettings(env: Readonly<Record<string, string | undefined>>, pid: number): NotifySettings | undefined {
  const socket = env['NOTIFY_SOCKET'];
  if (!socket) return undefined;
  const micros = Number(env['WATCHDOG_USEC']);
  const meant = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === pid;
  return { socket, watchdogMs: meant && Number.isFinite(micros) && micros > 0 ? micros / 1000 : undefined };
}
