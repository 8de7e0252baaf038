import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hostTry, processesWith, signal, unmountBelow } from './host.js';
import type { ContainerdPlace } from './settings.js';

/** Where libcni keeps what it gave; the only thing of a network outside its own folders. */
const CNI_RESULTS = '/var/lib/cni/results';

/** What a reboot does to the machine of a containerd that does not run: only what lies on disk is left. */
export async function loseVolatile(place: ContainerdPlace, stateDir: string): Promise<void> {
  await endProcesses(place);
  await unmountBelow(place.folder);
  await hostTry('ip', 'link', 'del', place.name);
  await removeMounted(place, stateDir);
  rmSync(join(place.folder, 'runc'), { recursive: true, force: true });
}

/** Removes everything of a containerd: processes, control groups, mounts, network, folder. It may be half gone already. */
export async function removeLeftovers(place: ContainerdPlace): Promise<void> {
  await endProcesses(place);
  await unmountBelow(place.folder);
  await hostTry('ip', 'link', 'del', place.name);
  for (const file of existsSync(CNI_RESULTS) ? readdirSync(CNI_RESULTS) : []) {
    if (file.startsWith(`${place.name}-`)) rmSync(join(CNI_RESULTS, file), { force: true });
  }
  await removeMounted(place, place.folder);
}

/** Removes a folder; what a process that was just ended mounted in there at the last moment is unmounted, too. */
async function removeMounted(place: ContainerdPlace, folder: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || tries === 20) throw error;
      await endProcesses(place);
      await unmountBelow(folder);
      await delay(250);
    }
  }
}

async function endProcesses(place: ContainerdPlace): Promise<void> {
  // Its own processes first (shims and the server name the folder), so that nothing grows behind our back.
  for (const pid of processesWith(place.folder)) signal(pid, 'SIGKILL');
  const groups = containerGroups(place.folder);
  for (const root of groupRoots()) groups.add(join(root, place.name));
  for (const group of groups) await removeGroup(group);
}

/** The control groups of the containers that runc still knows, and of their pods, under every controller. */
function containerGroups(folder: string): Set<string> {
  const groups = new Set<string>();
  const states = join(folder, 'runc', 'k8s.io');
  for (const id of existsSync(states) ? readdirSync(states) : []) {
    for (const path of Object.values(cgroupPaths(join(states, id, 'state.json')))) {
      groups.add(path);
      if (/pod[0-9a-f]{8}/.test(basename(dirname(path)))) groups.add(dirname(path));
    }
  }
  return groups;
}

function cgroupPaths(file: string): Readonly<Record<string, string>> {
  if (!existsSync(file)) return {};
  const state = JSON.parse(readFileSync(file, 'utf8')) as { cgroup_paths?: Record<string, string> };
  return state.cgroup_paths ?? {};
}

/** Where the hierarchies of control groups are mounted: one with version 2, one per controller with version 1. */
export function groupRoots(): readonly string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => / - cgroup2? /.test(line)).map((line) => line.split(' ')[4] ?? '');
}

/** Kills what runs in a control group and those below it, and removes them. */
async function removeGroup(group: string): Promise<void> {
  // Killed processes leave their group a moment later.
  for (let left = 40; existsSync(group) && left > 0; left -= 1) {
    if (tryRemoveGroup(group)) return;
    await delay(50);
  }
}

function tryRemoveGroup(group: string): boolean {
  try {
    for (const entry of readdirSync(group, { withFileTypes: true })) if (entry.isDirectory()) tryRemoveGroup(join(group, entry.name));
    for (const pid of readFileSync(join(group, 'cgroup.procs'), 'utf8').split('\n').map(Number)) if (pid > 0) signal(pid, 'SIGKILL');
    rmdirSync(group);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'ENOENT';
  }
}
