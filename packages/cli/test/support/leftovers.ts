import { readdirSync, readFileSync } from 'node:fs';

/** A process of a container; the shell that keeps its exit code is one too. */
export interface PodProcess {
  readonly pid: number;
  readonly command: string;
  /** The container's root folder. */
  readonly container: string;
}

/** Processes, other than our own, that were started for pods below the folder. */
export function podProcesses(folder: string): PodProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      const environment = read(`/proc/${name}/environ`);
      const command = read(`/proc/${name}/cmdline`).replaceAll('\0', ' ').trim();
      const container = environment.split('\0').find((entry) => entry.startsWith(`EDGE_ROOT=${folder}`));
      return container ? [{ pid: Number(name), command, container: container.slice('EDGE_ROOT='.length) }] : [];
    });
}

/** How many containers run whose command holds the text. */
export function runningContainers(folder: string, text: string): number {
  return new Set(podProcesses(folder).flatMap(({ command, container }) => (command.includes(text) ? [container] : []))).size;
}

/** Ends what pods a test left running, by pid. */
export function killPodProcesses(folder: string): void {
  for (const { pid } of podProcesses(folder)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself meanwhile.
    }
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
