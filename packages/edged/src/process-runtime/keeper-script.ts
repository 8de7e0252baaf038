/**
 * The keeper: a small shell that starts a container's command, waits for it and writes down how it ended, so that the
 * end is known even when no agent ran. It leads the session and the process group of the container.
 *
 * Files it writes end in a newline when complete; a reader takes a file without one as not written.
 *  - `keeper` and `main`: pid, boot id, start time. `keeper` is created exclusively (`set -C`), so of two keepers
 *    that were started for one container, only one runs the command.
 *  - `exit`: the exit code, 128 + number for a signal. Its modification time is the time of the end.
 */
const IDENTITY = `edge_identity() {
  if [ -r /proc/$$/stat ]; then
    read -r edge_boot </proc/sys/kernel/random/boot_id
    IFS= read -r edge_start </proc/$$/stat
  else
    edge_boot=
    edge_start=$(LC_ALL=C ps -o lstart= -p $$)
  fi
  printf '%s\\n%s\\n%s\\n' "$$" "$edge_boot" "$edge_start"
}
`;

/**
 * Started as `/bin/sh <container>/keeper.sh <command> <arguments>`.
 * The traps make `kill 0` in a pod's script survivable for the keeper; unlike ignored signals they are not inherited.
 * The shell's own remarks on killed children must not reach the container's log, therefore descriptor 3 (and a subshell:
 * dash keeps the redirection of a simple command while it waits for it).
 * The last line is what the end of a pid namespace would do: nothing of the container outlives its main process.
 */
export const KEEPER = `${IDENTITY}exec 3>&2 2>/dev/null
trap : HUP INT QUIT TERM USR1 USR2 ALRM
edge_container=\${0%/*}
set -C
edge_identity >"$edge_container/run/keeper" || exit 0
set +C
(exec 2>&3 3>&-; exec /bin/sh "$edge_container/main.sh" "$@")
echo "$?" >"$edge_container/run/exit"
kill -KILL 0
`;

/** Runs in the process that becomes the container's main process. `environment` is text of `environmentScript`. */
export function mainScript(environment: string): string {
  return `${IDENTITY}edge_identity >"\${0%/*}/run/main" || exit 126
${environment}unset PWD OLDPWD SHLVL
exec "$@"
`;
}
