import type { Core, Logger } from '@edge/core';
import type { Standing } from '../modules/standing.js';
import { readNotifySettings } from './notify-settings.js';
import { ServiceReporter } from './service-reporter.js';
import { systemdNotify } from './systemd-notify.js';

/** Tells the service manager how the agent is until the signal; nothing where none has asked for it. */
export async function reportToService(core: Core, env: Readonly<Record<string, string | undefined>>, unfollowed: () => readonly Standing[], log: Logger, signal: AbortSignal): Promise<void> {
  const settings = readNotifySettings(env, process.pid);
  if (!settings) return;
  await new ServiceReporter({
    health: core.health,
    link: core.link,
    unfollowed,
    heldUpLanes: (limitMs) => core.heldUpLanes(limitMs),
    notify: systemdNotify(settings.socket),
    watchdogMs: settings.watchdogMs,
    log: log.named('service'),
  }).run(signal);
}
