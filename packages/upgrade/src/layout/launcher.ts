import { INSTALLATION_VARIABLE, MAIN_FILE, WHOLE_FILE, type Layout } from './layout.js';

/** Flags of V8 that keep the agent small: a small young generation matters most, see docs/adr/0004-one-file.md. */
export const SMALL_MEMORY_FLAGS = ['--max-semi-space-size=1', '--optimize-for-size', '--v8-pool-size=1', '--max-old-space-size=128'] as const;

/** As long as this, in seconds, an upgrade may keep the agent from being started. */
const LONGEST_HOLD_SECONDS = 600;

/**
 * The script that starts the current version, for any POSIX shell. It belongs to no version and knows little: which version is
 * whole, whether an upgrade that lives wants the agent to wait, whether one that has died has to be taken up again.
 * @param node absolute path of Node.js; the one of the search path is taken when it is gone
 */
export function launcherScript(layout: Layout, node: string): string {
  return `#!/bin/sh
# Starts the version of EdgeCore that is in use. It belongs to no version, and is written by "edgecore install".
root=${word(layout.root)}
node=${word(node)}
[ -x "$node" ] || node=node

main() { printf '%s' "$root/$1/${MAIN_FILE}"; }
whole() { [ -f "$root/$1/${WHOLE_FILE}" ] && [ -f "$(main "$1")" ]; }

# Whether the process that a file names lives: "<boot id> <process id> <start>".
alive() {
  [ -f "$1" ] || return 1
  read -r boot pid start 2>/dev/null <"$1" || return 1
  [ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 1
  stat=$(cat "/proc/$pid/stat" 2>/dev/null) || return 1
  set -- \${stat##*) }
  [ "$1" != Z ] && [ "\${20}" = "$start" ]
}

# The version in use; if that is damaged the one before, or any that is whole.
choose() {
  version=
  for candidate in current previous; do whole "$candidate" && version=$candidate && return; done
  for folder in "$root"/versions/*; do
    candidate=versions/\${folder##*/}
    whole "$candidate" && version=$candidate
  done
  [ -n "$version" ] || { echo "edgecore: there is no whole version below $root/versions" >&2; exit 1; }
}

# A command, or a question that is answered at once, needs nothing more.
agent=yes
case "\${1-}" in '' | -*) ;; *) agent= ;; esac
for argument do
  case "$argument" in --help* | -h | --version* | --minconfig* | --defaultconfig*) agent= ;; esac
done
if [ -z "$agent" ]; then
  choose
  exec "$node" "$(main "$version")" "$@"
fi

# An upgrade that lives keeps the agent from running.
{ echo $$ >"$root/agent.pid"; } 2>/dev/null
waited=0
while alive "$root/hold" && [ "$waited" -lt ${LONGEST_HOLD_SECONDS * 5} ]; do
  sleep 0.2 2>/dev/null || sleep 1
  waited=$((waited + 1))
done

if [ -f "$root/journal.json" ]; then
  { echo $$ >>"$root/starts"; } 2>/dev/null
  # The one that carried out a change has died, perhaps with the whole machine: another takes it up.
  if ! alive "$root/upgrader"; then
    if whole keeper; then keeper=keeper; else choose; keeper=$version; fi
    "$node" "$(main "$keeper")" upgrader --installation "$root" --outside </dev/null
  fi
fi

choose
export ${INSTALLATION_VARIABLE}="$root"
export MALLOC_MMAP_THRESHOLD_="\${MALLOC_MMAP_THRESHOLD_:-32768}"
exec "$node" ${SMALL_MEMORY_FLAGS.join(' ')} "$(main "$version")" "$@"
`;
}

/** One word for a POSIX shell. */
function word(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
