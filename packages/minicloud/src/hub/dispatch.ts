import { CLUSTER_CA_RESOURCE, Groups, type Message, Operations, Sources } from '@edge/protocol';

/** Who in the cloud handles a message from a node. */
export type Receiver =
  | 'transport' | 'keepalive' | 'volume' | 'acknowledgement' | 'error' | 'router' | 'tasks' | 'authority' | 'nobody'
  | 'dynamic' | 'devices' | 'edge';

const VOLUME = /^\w[-\w.+]*\/volume\/\w[-\w.+]*/;
const TRANSPORT_OPERATIONS: readonly string[] = ['config', 'ping', 'pong'];
const TASK_OPERATIONS: readonly string[] = ['prepull', 'upgrade', Operations.updateNodeActionStatus];
const CLOUD_SOURCES: readonly string[] = [Sources.cloudHub, 'cloudStream', Sources.deviceController, Sources.edgeController, 'synccontroller'];

/** Decides who handles a message from a node; the first rule that fits wins, in CloudHub's order. */
export function receiverOf(message: Message): Receiver {
  const { source, group, operation, resource } = message.route;
  if (TRANSPORT_OPERATIONS.includes(operation)) return 'transport';
  if (operation === Operations.keepalive) return 'keepalive';
  if (VOLUME.test(resource)) return 'volume';
  if (operation === Operations.response) return 'acknowledgement';
  if (operation === Operations.error) return 'error';
  if (operation === Operations.upload && group === Groups.user) return 'router';
  if (TASK_OPERATIONS.includes(operation)) return 'tasks';
  if (resource === CLUSTER_CA_RESOURCE) return 'authority';
  // A node that claims to be a part of the cloud is not listened to.
  if (CLOUD_SOURCES.includes(source)) return 'nobody';
  if (source === Sources.metaServer) return 'dynamic';
  if (source === 'twin') return 'devices';
  return 'edge';
}
