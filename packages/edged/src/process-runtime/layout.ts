import { join } from 'node:path';

/** Where the files of one container are. */
export interface ContainerPaths {
  readonly dir: string;
  /** What was asked for; there from the container's creation to its removal. */
  readonly record: string;
  /** How it ended, once an agent has seen that. */
  readonly outcome: string;
  /** What starts the command and waits for it. */
  readonly keeperScript: string;
  /** What becomes the command. Holds the variables that a shell cannot carry. */
  readonly mainScript: string;
  /** How far the log was written. */
  readonly position: string;
  /** The private directory with the mounts; the process's `EDGE_ROOT`. */
  readonly root: string;
  /** What keeper and processes write, and what is watched. */
  readonly run: string;
  readonly keeper: string;
  readonly main: string;
  readonly exit: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the files of the runtime are. */
export interface Layout {
  readonly sandboxes: string;
  readonly containers: string;
  container(id: string): ContainerPaths;
  sandbox(id: string): string;
}

/** Prefix of directories that are being made or removed; whoever opens the root deletes them. */
export const UNFINISHED = '.';

export function containerPaths(dir: string): ContainerPaths {
  const run = join(dir, 'run');
  return {
    dir,
    record: join(dir, 'container.json'),
    outcome: join(dir, 'outcome.json'),
    keeperScript: join(dir, 'keeper.sh'),
    mainScript: join(dir, 'main.sh'),
    position: join(dir, 'log.position'),
    root: join(dir, 'root'),
    run,
    keeper: join(run, 'keeper'),
    main: join(run, 'main'),
    exit: join(run, 'exit'),
    stdout: join(run, 'stdout'),
    stderr: join(run, 'stderr'),
  };
}

/** The variable by which processes of a container are told that have left its session. */
export function rootMark({ root }: ContainerPaths): string {
  return `EDGE_ROOT=${root}`;
}

export function layout(root: string): Layout {
  const sandboxes = join(root, 'sandboxes');
  const containers = join(root, 'containers');
  return {
    sandboxes,
    containers,
    container: (id) => containerPaths(join(containers, id)),
    sandbox: (id) => join(sandboxes, `${id}.json`),
  };
}
