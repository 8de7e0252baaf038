import type { RuntimeCommands } from './suite-kit.js';

const sh = (script: string, ...args: string[]): string[] => ['/bin/sh', '-c', script, 'sh', ...args];

/** The commands of the suite for a runtime that runs real processes with a POSIX shell in them. */
export const shellCommands: RuntimeCommands = {
  run: () => sh('trap "exit 143" TERM; echo ready; while :; do sleep 1 & wait $!; done'),
  exit: (code, afterMs = 0) => sh('sleep "$2"; exit "$1"', String(code), String(afterMs / 1000)),
  polite: (code) => sh('trap "exit $1" TERM; echo ready; while :; do sleep 1 & wait $!; done', String(code)),
  stubborn: () => sh('trap "" TERM; echo ready; while :; do sleep 1; done'),
  missing: () => ['/no/such/command'],
  dieBySignal: (signal) => sh('kill -"$1" $$; sleep 5', String(signal)),
  print: (stdout, stderr, code) => sh('printf %s "$1"; printf %s "$2" >&2; exit "$3"', stdout, stderr, String(code)),
  count: (to, pauseMs) => sh('n=0; while [ "$n" -lt "$1" ]; do n=$((n+1)); echo "line $n"; sleep "$2"; done', String(to), String(pauseMs / 1000)),
  sleep: (milliseconds) => sh('sleep "$1"', String(milliseconds / 1000)),
  printArguments: (...args) => sh('for a in "$@"; do printf "[%s]\\n" "$a"; done', ...args),
  printVariable: (name) => sh('eval "printf %s \\"\\$$1\\""', name),
};

/** The commands of the suite in the words that the memory runtime understands. */
export const memoryCommands: RuntimeCommands = {
  run: () => ['run'],
  exit: (code, afterMs = 0) => ['exit', String(code), String(afterMs)],
  polite: (code) => ['polite', String(code)],
  stubborn: () => ['stubborn'],
  missing: () => ['missing'],
  print: (stdout, stderr, code) => ['print', stdout, stderr, String(code)],
  sleep: (milliseconds) => ['sleep', String(milliseconds)],
};
