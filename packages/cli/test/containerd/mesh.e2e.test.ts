import { execFileSync } from 'node:child_process';
import { Resolver } from 'node:dns/promises';
import type { ResourceClient } from '@edge/kubeapi';
import type { KubeObject, Pod } from '@edge/protocol';
import { startContainerd } from '@edge/testing';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { eventually } from '../support/agent.js';
import { podOn } from '../support/containers.js';
import { NODE, openScene } from '../support/scene.js';

const ADDRESS = `169.254.97.${1 + (process.pid % 250)}`;
/** Names alone: what is behind an address is the proxy's business. */
const withMesh = (text: string): string => {
  const config = parse(text) as { edge: Record<string, unknown> };
  config.edge['edgeMesh'] = { enable: true, address: ADDRESS, proxy: { enable: false } };
  return stringify(config);
};
const hasLink = (): boolean => execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' }).includes('edge-mesh0');

it('[cli-mesh-1.1] a pod finds services by name, also those behind which pods are, with the cloud and after a restart without it', { timeout: 240_000 }, async () => {
  await using containerd = await startContainerd();
  await using scene = await openScene({ containerd, edit: withMesh });
  const { api } = scene.cloud;
  const until = (fits: () => boolean | Promise<boolean>, text: string): Promise<void> => eventually(fits, 60_000, () => `${text}; agent's log ends:\n${scene.agent.log.slice(-2500)}`);
  const services: ResourceClient = api.resource('v1', 'services');
  const pods = api.resource<Pod>('v1', 'pods');
  const resolver = new Resolver({ timeout: 3000, tries: 2 });
  resolver.setServers([ADDRESS]);
  const addresses = (name: string): Promise<readonly string[]> => resolver.resolve4(`${name}.default.svc.cluster.local`).catch(() => []);
  await scene.ready(0, 60_000);

  const service = (name: string, spec: object): Promise<KubeObject> => services.create({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec } as never) as never;
  const web = await service('web', { ports: [{ port: 80 }] });
  await service('back', { clusterIP: 'None', selector: { app: 'back' }, ports: [{ name: 'x', port: 80 }] });
  const back = podOn(NODE, 'back', 'while true; do sleep 1; done');
  back.metadata = { ...back.metadata, labels: { app: 'back' } };
  await pods.create(back as never);
  const clusterIp = (web['spec'] as { clusterIP: string }).clusterIP;
  const ask = (name: string, address: string): string => `nslookup -type=a ${name}.default.svc.cluster.local | grep -qF ${address}`;
  await until(async () => (await addresses('web'))[0] === clusterIp, 'the service has no name');
  await until(async () => (await addresses('back')).length === 1, 'what is behind a service has no name');
  const podIp = scene.pod('back')?.status?.podIP ?? 'none';
  expect(await addresses('back')).toEqual([podIp]);

  const client = podOn(NODE, 'client', `for i in 1 2 3 4 5 6 7 8 9; do ${ask('web', clusterIp)} && ${ask('back', podIp)} && exit 0; sleep 1; done; exit 1`);
  client.spec = { ...client.spec, restartPolicy: 'Never' };
  await pods.create(client as never);
  await until(() => ['Succeeded', 'Failed'].includes(scene.pod('client')?.status?.phase ?? ''), 'the client does not end');
  expect(scene.pod('client')?.status?.phase).toBe('Succeeded');

  scene.relay.set('refuse');
  await scene.agent.kill();
  scene.agent.start();
  await until(async () => (await addresses('web'))[0] === clusterIp, 'the service has no name without the cloud');
  expect(await addresses('back')).toEqual([podIp]);
  await service('late', { ports: [{ port: 80 }] });
  scene.relay.set('open');
  await until(async () => (await addresses('late')).length === 1, 'the service that came meanwhile has no name');
  await scene.agent.stop();
  expect(hasLink()).toBe(false);
});
