import { mkdir, readdir, symlink } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { Mount } from '@edge/core';

/** One thing to make below a container's root; `path` starts with `/`. Parents come before their children. */
export type RootStep = { readonly make: 'directory'; readonly path: string } | { readonly make: 'link'; readonly path: string; readonly target: string };

/** Names in a host directory, empty when it is none. */
export type ListDirectory = (path: string) => Promise<readonly string[]>;

interface Node {
  mount?: string;
  readonly children: Map<string, Node>;
}

/**
 * What to make so that each mount is found at its path: a link to the host's file or directory. Where another mount lies
 * inside a mount, the outer one becomes a real directory whose entries are links, as they are at this moment.
 */
export async function planRoot(mounts: readonly Mount[], list: ListDirectory): Promise<RootStep[]> {
  const top: Node = { children: new Map() };
  for (const mount of mounts) {
    let node = top;
    for (const name of segments(mount.containerPath)) {
      let child = node.children.get(name);
      if (!child) node.children.set(name, (child = { children: new Map() }));
      node = child;
    }
    node.mount = mount.hostPath;
  }
  const steps: RootStep[] = [];
  await visit(top, '', undefined, list, steps);
  return steps;
}

async function visit(node: Node, path: string, inherited: string | undefined, list: ListDirectory, steps: RootStep[]): Promise<void> {
  const source = node.mount ?? inherited;
  if (node.mount !== undefined && node.children.size === 0 && path !== '') {
    steps.push({ make: 'link', path, target: node.mount });
    return;
  }
  if (path !== '') steps.push({ make: 'directory', path });
  if (source !== undefined) {
    for (const name of await list(source)) {
      if (!node.children.has(name)) steps.push({ make: 'link', path: `${path}/${name}`, target: join(source, name) });
    }
  }
  for (const [name, child] of node.children) {
    await visit(child, `${path}/${name}`, source === undefined ? undefined : join(source, name), list, steps);
  }
}

/** The parts of a path in the container; `..` cannot lead out of it. */
function segments(path: string): string[] {
  return posix.normalize(`/${path}`).split('/').filter((part) => part !== '');
}

/** Makes the container's root directory. */
export async function makeRoot(root: string, mounts: readonly Mount[]): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const list: ListDirectory = (path) => readdir(path).catch(() => []);
  for (const step of await planRoot(mounts, list)) {
    if (step.make === 'directory') await mkdir(join(root, step.path), { mode: 0o700 });
    else await symlink(step.target, join(root, step.path));
  }
}

/** True when a path in the container lies at or below one of the mounts. */
export function insideMount(path: string, mounts: readonly Mount[]): boolean {
  const inner = `${posix.normalize(`/${path}`)}/`;
  return mounts.some((mount) => inner.startsWith(`/${segments(mount.containerPath).join('/')}/`));
}
