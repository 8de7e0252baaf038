import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { edgeMeshError, EdgeMeshErrors } from './errors.js';

/** What there is on the node. */
export interface Surroundings {
  readonly links: readonly string[];
  readonly processes: readonly string[];
}

const LINKS: ReadonlyMap<string, string> = new Map([['edgemesh0', 'EdgeMesh (its link edgemesh0 is there)'], ['kube-ipvs0', 'kube-proxy (its link kube-ipvs0 is there)']]);
const PROCESSES: ReadonlyMap<string, string> = new Map([['edgemesh-agent', 'EdgeMesh (edgemesh-agent runs)'], ['kube-proxy', 'kube-proxy (it runs)']]);

/** Others that do the same work here: two of them would each send traffic where the other does not expect it. */
export function rivalsIn({ links, processes }: Surroundings): readonly string[] {
  const found = [...links.map((link) => LINKS.get(link)), ...processes.map((name) => PROCESSES.get(name))];
  return [...new Set(found)].filter((rival) => rival !== undefined);
}

/** @throws EdgeError `edgemesh.other-mesh` naming who is there and what to do */
export async function refuseRivals(look: () => Promise<Surroundings> = lookAround): Promise<void> {
  const rivals = rivalsIn(await look());
  if (rivals.length === 0) return;
  throw edgeMeshError(EdgeMeshErrors.otherMesh, `services of this node are looked after by ${rivals.join(' and ')}: keep it away from this node, or set edge.edgeMesh.enable to false`);
}

async function lookAround(): Promise<Surroundings> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/comm`, 'utf8').then((name) => name.trim(), () => '')));
  return { links: Object.keys(networkInterfaces()), processes: names };
}
