import type { DraftObject, KubeObject } from '@edge/kubeapi';
import type { DeviceStatus, Message } from '@edge/protocol';
import type { CloudFixture } from './cloud-fixture.js';
import type { EdgeClient } from './edge-client.js';

export const API = 'devices.kubeedge.io/v1beta1';

export const devicesOf = ({ cloud }: CloudFixture): ReturnType<typeof cloud.api.resource<KubeObject & { spec: Record<string, unknown> }>> => cloud.api.resource(API, 'devices');
export const modelsOf = ({ cloud }: CloudFixture): ReturnType<typeof cloud.api.resource<KubeObject & { spec: Record<string, unknown> }>> => cloud.api.resource(API, 'devicemodels');
export const statusOf = ({ cloud }: CloudFixture, name: string): (KubeObject & DeviceStatus) | undefined => cloud.api.resource<KubeObject & DeviceStatus>(API, 'devicestatuses').find(name, 'default');

export const model = (name: string): DraftObject => ({ metadata: { name, namespace: 'default' }, spec: { protocol: 'modbus', properties: [{ name: 'temperature', type: 'INT', accessMode: 'ReadWrite' }, { name: 'label', type: 'STRING' }] } } as DraftObject);
export const device = (name: string, nodeName: string | undefined, more: object = {}): DraftObject => ({
  metadata: { name, namespace: 'default' },
  spec: { ...(nodeName ? { nodeName } : {}), deviceModelRef: { name: 'm' }, properties: [{ name: 'temperature', desired: { value: '25' } }, { name: 'label' }], protocol: { protocolName: 'modbus' }, ...more },
} as DraftObject);

/** `<operation> <resource>` of everything about devices that a node was told, membership by what it says. */
export function told(client: EdgeClient): string[] {
  return client.received.filter((m) => m.header.parentId === undefined && (m.route.resource === 'membership' || m.route.resource.includes('/device'))).map((m) => {
    if (m.route.resource !== 'membership') return `${m.route.operation} ${m.route.resource} ${m.route.source}`;
    const { added_devices: added, removed_devices: removed } = m.content as Record<string, { id: string }[] | null>;
    return `membership +${(added ?? []).map(({ id }) => id).join()} -${(removed ?? []).map(({ id }) => id).join()}`;
  });
}

export const settled = async (fixture: CloudFixture, client: EdgeClient): Promise<void> =>
  client.until(() => fixture.cloud.hub.sessions.find((s) => s.node === client.node)?.unacknowledged === 0);

export const twinMessage = (client: EdgeClient, name: string, twin: object): Message =>
  client.send({ source: 'twin', group: 'resource', operation: 'update', resource: `device/default/${name}/twin/edge_updated`, content: { event_id: 'e', timestamp: 1, twin } });
export const actual = (value: string, type = 'int'): object => ({ actual: { value, metadata: { timestamp: 1760000000123 } }, optional: true, metadata: { type }, actual_version: { cloud: 0, edge: 1 } });
export const answerTo = (client: EdgeClient, question: Message): Promise<Message> => client.waitFor((m) => m.header.parentId === question.header.id);
