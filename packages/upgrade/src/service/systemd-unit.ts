import type { ServiceOptions } from './service-options.js';

/** Where the unit lies, as KubeEdge's own agent has it. */
export const SYSTEMD_UNIT_PATH = '/etc/systemd/system/edgecore.service';

/** Seconds within which the agent has to say that it moves; it says so twice as often. */
export const WATCHDOG_SECONDS = 120;

/**
 * The unit of systemd.
 *
 * `After=network.target` orders the stop at shutdown; `network-online.target` would hold up a start with the cable out.
 * `KillMode=process` leaves alone what the agent has started: pods of the process runtime, their keepers, an upgrade.
 * `NotifyAccess=all`, because readiness and the watchdog's signs come from a child process.
 * `StartLimitIntervalSec=0`: however often it has failed, it is started again.
 */
export function systemdUnit(options: ServiceOptions): string {
  const command = [options.program, ...options.args].map(quoted).join(' ');
  return `[Unit]
Description=EdgeCore, the agent of an edge node
After=local-fs.target network.target containerd.service crio.service mosquitto.service
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=all
ExecStart=${command}
${environment(options.environment)}Restart=always
RestartSec=5
KillMode=process
TimeoutStartSec=300
TimeoutStopSec=${options.stopSeconds}
WatchdogSec=${WATCHDOG_SECONDS}
${options.oomScoreAdjust === undefined ? '' : `OOMScoreAdjust=${options.oomScoreAdjust}\n`}LimitNOFILE=1048576
TasksMax=infinity
SyslogIdentifier=edgecore

[Install]
WantedBy=multi-user.target
`;
}

function environment(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
    .join('');
}

/** One word as systemd reads it: its own signs for specifiers and variables doubled, the rest in quotes where need be. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%').replaceAll('$', () => '$$');
  return /^[A-Za-z0-9_@%+=:,./$-]+$/.test(plain) ? plain : `"${plain.replace(/["\\]/g, '\\$&')}"`;
}
