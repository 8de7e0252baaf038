import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Runs a program; resolves with what it printed, rejects when it is not there or fails. */
export type RunProgram = (program: string, ...args: readonly string[]) => Promise<string>;

export const runProgram: RunProgram = async (program, ...args) => (await run(program, [...args], { timeout: 10_000 })).stdout;

/** Links of the node's own API and of the mesh; an agent that was killed leaves them. */
const LINKS = ['edge-dummy0', 'edge-mesh0'];
/** The mesh's table of rules of nftables. */
const TABLE = 'edgecore_mesh';
/** Its chains of iptables begin so. */
const CHAINS = 'EDGE-MESH';
/** By it the mesh marks its routes and, on the loopback, its addresses. */
const MESH_PROTOCOL = '236';

/** Removes what a killed agent leaves in the kernel's network. @returns what was removed */
export async function removeMachineParts(program: RunProgram = runProgram): Promise<string[]> {
  // What is not there, or on a machine without the program, needs no removal.
  const done = (name: string, ...args: readonly string[]): Promise<boolean> =>
    program(name, ...args).then(
      () => true,
      () => false,
    );
  const removed: string[] = [];
  for (const link of LINKS) if (await done('ip', 'link', 'delete', link)) removed.push(`link ${link}`);
  for (const family of ['ip', 'ip6']) if (await done('nft', 'delete', 'table', family, TABLE)) removed.push(`rules ${family} ${TABLE}`);
  for (const iptables of ['iptables', 'ip6tables']) if (await removeChains(program, iptables)) removed.push(`chains ${iptables} ${CHAINS}`);
  for (const family of ['-4', '-6']) {
    const routes = (await program('ip', family, 'route', 'show', 'table', 'all', 'proto', MESH_PROTOCOL).catch(() => '')).trim();
    if (routes !== '' && (await done('ip', family, 'route', 'flush', 'table', 'all', 'proto', MESH_PROTOCOL))) removed.push(`routes ${family === '-4' ? 'ip' : 'ip6'} proto ${MESH_PROTOCOL}`);
  }
  for (const address of await meshAddresses(program)) if (await done('ip', '-6', 'address', 'delete', address, 'dev', 'lo')) removed.push(`address ${address}`);
  return removed;
}

/** First what leads to the mesh's chains; then their rules, as they lead to one another. */
async function removeChains(program: RunProgram, iptables: string): Promise<boolean> {
  let found = false;
  for (const table of ['nat', 'filter']) {
    const saved = await program(`${iptables}-save`, '-t', table).catch(() => '');
    const own = [...saved.matchAll(new RegExp(`^:(${CHAINS}\\S*) `, 'gm'))].map(([, chain = '']) => chain);
    const leads = [...saved.matchAll(new RegExp(`^-A (?!${CHAINS})(\\S+) -j (${CHAINS}\\S*)$`, 'gm'))].map(([, from = '', to = '']) => ['-D', from, '-j', to]);
    for (const step of [...leads, ...own.map((chain) => ['-F', chain]), ...own.map((chain) => ['-X', chain])]) await program(iptables, '-w', '-t', table, ...step).catch(() => '');
    found ||= own.length > 0;
  }
  return found;
}

async function meshAddresses(program: RunProgram): Promise<string[]> {
  const text = await program('ip', '-6', '-json', 'address', 'show', 'dev', 'lo').catch(() => '');
  const links = JSON.parse(text.trim() || '[]') as { addr_info?: { local?: string; prefixlen?: number; metric?: number }[] }[];
  return links.flatMap(({ addr_info: found = [] }) => found.filter(({ metric }) => metric === Number(MESH_PROTOCOL)).map(({ local = '', prefixlen = 128 }) => `${local}/${prefixlen}`));
}
