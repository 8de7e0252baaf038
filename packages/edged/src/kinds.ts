import { defineKind, Modules, Operations, ResourceTypes, Sources, type MessageKind } from '@edge/protocol';

const CHANGES = [Operations.insert, Operations.update];
const OBJECTS = [ResourceTypes.configMap, ResourceTypes.secret];

/** What metamanager hands over. Contents are the cloud's, so nothing is taken for granted about their shape. */
export const podChanged: MessageKind = defineKind('podChanged', { type: ResourceTypes.pod, operation: CHANGES });
export const podDeleted: MessageKind = defineKind('podDeleted', { type: ResourceTypes.pod, operation: Operations.delete });
/** Lets a pod go that waits because of the hold annotation; sent by the node's own API. */
export const podReleased: MessageKind = defineKind('podReleased', { type: ResourceTypes.pod, operation: Operations.unholdUpgrade });
export const objectChanged: MessageKind = defineKind('objectChanged', { type: OBJECTS, operation: [...CHANGES, Operations.delete] });
export const podPatchAnswered: MessageKind = defineKind('podPatchAnswered', {
  type: ResourceTypes.podPatch,
  operation: [Operations.response, Operations.error],
});
export const nodePatchAnswered: MessageKind = defineKind('nodePatchAnswered', {
  type: ResourceTypes.nodePatch,
  operation: [Operations.response, Operations.error],
});
/** To the request to delete a pod. The deletion itself comes as a push. */
export const podDeleteAnswered: MessageKind = defineKind('podDeleteAnswered', {
  type: ResourceTypes.pod,
  operation: [Operations.response, Operations.error],
});
/** What the cloud's CSI driver asks of the driver on this node. */
export const volumeOperation: MessageKind = defineKind('volumeOperation', {
  type: ResourceTypes.volume,
  operation: [Operations.createVolume, Operations.deleteVolume, Operations.controllerPublishVolume, Operations.controllerUnpublishVolume],
});
/** Another module of the node asks where the local kubelet API is. */
export const queryKubeletEndpoint: MessageKind = defineKind('queryKubeletEndpoint', { operation: Operations.get, resource: 'kubelet/endpoint' });
/** The program asks whether the node can run pods; the answer is `{ ready, reason }`. */
export const queryNodeReadiness: MessageKind = defineKind('queryNodeReadiness', { operation: Operations.get, resource: 'node/readiness' });
/** Another module wants a word of its own to be read at the Node: `{ 'edge.kubeedge.io/<name>': text }`. */
export const remarkOnNode: MessageKind = defineKind('remarkOnNode', { operation: Operations.update, resource: 'node/annotations' });
/** What somebody at the node wants done to running pods, through the node's own API. */
export const restartPods: MessageKind = defineKind('restartPods', { source: Sources.metaServer, operation: Operations.update, resource: 'pods/restart' });
export const runCommand: MessageKind = defineKind('runCommand', { source: Sources.metaServer, operation: Operations.update, resource: 'pods/exec' });
/** An image that a job wants on the node before any pod does. */
export const pullImage: MessageKind = defineKind('pullImage', { source: Modules.taskManager, operation: Operations.update, resource: 'images/pull' });
/** Everything else that the cloud pushes and that needs nothing done here. */
export const otherPush: MessageKind = defineKind('otherPush', { operation: [...CHANGES, Operations.delete, Operations.response], answer: false });
