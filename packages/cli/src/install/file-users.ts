import { readdir, readFile, readlink } from 'node:fs/promises';

/** Processes, other than this one, that have one of the files open: `1234 (node …)`. As far as this user may look. */
export async function usersOf(paths: readonly string[]): Promise<string[]> {
  const wanted = new Set(paths);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const open = await readdir(`/proc/${pid}/fd`).catch(() => []);
      const targets = await Promise.all(open.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
      if (!targets.some((target) => wanted.has(target))) return undefined;
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ').trim();
      return `${pid} (${command.slice(0, 80)})`;
    }),
  );
  return found.filter((one) => one !== undefined);
}
