import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap } from '@edge/protocol';
import { eventually } from './agent.js';
import { podProcesses } from './leftovers.js';
import { sleeper, type Scene } from './scene.js';

export const PODS = 5;
export const CONFIG_MAPS = 200;

/** How often each pod's process was started, by the lines it wrote. */
export function runsPerPod(scene: { readonly folder: string }): Map<string, number> {
  const runs = new Map<string, number>();
  for (const { container } of podProcesses(scene.folder)) {
    runs.set(container, readFileSync(`${container}/data/runs`, 'utf8').trim().split('\n').length);
  }
  return runs;
}

/** Five pods that mount 200 ConfigMaps between them, all running. */
export async function fill(scene: Scene): Promise<void> {
  const { api } = scene.cloud;
  const configMaps = api.resource<ConfigMap>('v1', 'configmaps');
  for (let i = 0; i < CONFIG_MAPS; i += 1) {
    await configMaps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `settings-${i}`, namespace: 'default' }, data: { value: '0' } });
  }
  for (let i = 0; i < PODS; i += 1) {
    const pod = sleeper(`sleeper-${i}`) as { spec: { volumes: object[] } };
    for (let map = i; map < CONFIG_MAPS; map += PODS) pod.spec.volumes.push({ name: `settings-${map}`, configMap: { name: `settings-${map}` } });
    await api.resource('v1', 'pods').create(pod as never);
  }
  await eventually(
    () => [...Array(PODS).keys()].every((i) => scene.pod(`sleeper-${i}`)?.status?.phase === 'Running'),
    60_000,
    () => `pods do not run: ${[...Array(PODS).keys()].map((i) => scene.pod(`sleeper-${i}`)?.status?.phase).join(', ')}`,
  );
}

/** The value of a ConfigMap in a pod's volume. */
function mounted(volumesOf: string, map: number): string | undefined {
  try {
    return readFileSync(join(volumesOf, `settings-${map}`, 'value'), 'utf8');
  } catch {
    return undefined;
  }
}

/** What the cloud has lies in the pods' volumes. */
export async function upToDate(scene: Scene): Promise<void> {
  const configMaps = scene.cloud.api.resource<ConfigMap>('v1', 'configmaps');
  const stale = (): string[] =>
    [...Array(CONFIG_MAPS).keys()].flatMap((map) => {
      const uid = scene.pod(`sleeper-${map % PODS}`)?.metadata.uid ?? '';
      const volumes = join(scene.folder, 'node', 'agent', 'kubelet', 'pods', uid, 'volumes', 'kubernetes.io~configmap');
      const wanted = configMaps.find(`settings-${map}`, 'default')?.data?.['value'];
      const there = mounted(volumes, map);
      return there === wanted ? [] : [`settings-${map} is ${there}, should be ${wanted}`];
    });
  await eventually(() => stale().length === 0, 60_000, () => `not up to date in the pods: ${stale().join('; ')}`);
}
