import type { ServiceOptions } from './service-options.js';

/** Where OpenRC looks for it. */
export const OPENRC_SCRIPT_PATH = '/etc/init.d/edgecore';

/** Where the agent's log goes: OpenRC has no journal. */
export const OPENRC_LOG_PATH = '/var/log/kubeedge/edgecore.log';

/**
 * The script of OpenRC: `supervise-daemon` starts the agent again whenever it ends, however often, and stops this one process
 * alone. It needs no network, only comes after it. OpenRC has neither readiness nor a watchdog.
 */
export function openrcScript(options: ServiceOptions): string {
  const exports = Object.entries(options.environment).map(([name, value]) => `export ${name}=${shellWord(value)}\n`);
  return `#!/sbin/openrc-run
# EdgeCore, the agent of an edge node.

${exports.join('')}name="edgecore"
description="EdgeCore, the agent of an edge node"
supervisor="supervise-daemon"
command=${shellWord(options.program)}
command_args=${shellWord(options.args.map(shellWord).join(' '))}
pidfile="/run/edgecore.pid"
output_log="${OPENRC_LOG_PATH}"
error_log="${OPENRC_LOG_PATH}"
respawn_delay=5
respawn_max=0
retry="TERM/${options.stopSeconds}/KILL/5"
rc_ulimit="-n 1048576"
rc_cgroup_cleanup="no"

depend() {
	need localmount
	use containerd crio mosquitto
	after net bootmisc
}

start_pre() {
	checkpath --directory --mode 0755 "\${output_log%/*}"
}
`;
}

/** One word for a POSIX shell. */
function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
