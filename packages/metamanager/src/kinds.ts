import { CONNECTION_RESOURCE, defineKind, Groups, Modules, Operations, ResourceTypes, Sources, type MessageKind } from '@edge/protocol';
import { FOLLOWERS } from './feed/object-feed.js';

/** What comes over the link carries these groups; modules of the node send with group `meta`. */
const FROM_CLOUD = [Groups.resource, Groups.func];
const { insert, update, patch, query, response, error } = Operations;

/** edgehub's notice that the link opened or closed. The cell `CloudLink` says it better. */
export const connectionNotice: MessageKind = defineKind('connectionNotice', { resource: CONNECTION_RESOURCE, operation: Operations.connect });

/** CSI operations of the cloud. */
export const volumeOperation: MessageKind = defineKind('volumeOperation', {
  operation: [Operations.createVolume, Operations.deleteVolume, Operations.controllerPublishVolume, Operations.controllerUnpublishVolume],
});

/** An answer of the cloud that nobody waits for on the bus. */
export const lateAnswer: MessageKind = defineKind('lateAnswer', { group: FROM_CLOUD, operation: [response, error], answer: true });

/** An object that the cloud sends on its own. */
export const objectPushed: MessageKind = defineKind('objectPushed', {
  group: FROM_CLOUD,
  operation: [insert, update, Operations.delete],
  answer: false,
});

/** Anything else that the cloud sends on its own. */
export const otherPush: MessageKind = defineKind('otherPush', { group: FROM_CLOUD, answer: false });

/** An event that the node reports. */
export const reportEvent: MessageKind = defineKind('reportEvent', { group: Groups.meta, type: ResourceTypes.event, operation: [insert, update, patch] });

/** A pod that has ended and may go from the cloud. */
export const deletePod: MessageKind = defineKind('deletePod', {
  source: Modules.edged,
  group: Groups.meta,
  type: ResourceTypes.pod,
  operation: Operations.delete,
});

/** A status patch; the content is the patch text. */
export const patchStatus: MessageKind = defineKind('patchStatus', { group: Groups.meta, operation: patch });

/** A token for a pod's service account; the content is the TokenRequest. */
export const queryToken: MessageKind = defineKind('queryToken', { group: Groups.meta, type: ResourceTypes.serviceAccountToken, operation: query });

/** The device twin's question about everything that is stored of a type; never the cloud's business. */
export const queryStored: MessageKind = defineKind('queryStored', { source: Modules.deviceTwin, group: Groups.meta, operation: Operations.get, resource: /^stored\/(device|devicemodel|devicemapper)$/ });

/** A mapper that registered, or is not to be known any more. */
export const recordMapper: MessageKind = defineKind('recordMapper', { source: Modules.deviceTwin, group: Groups.meta, operation: [insert, Operations.delete], resource: /^node\/nodeID\/namespace\/devicemapper\/./ });

/** A Device that was changed on the node itself; upstream's resource has a literal word in place of the name. */
export const editDevice: MessageKind = defineKind('editDevice', { source: Modules.metaManager, group: Groups.twin, operation: update, resource: /^[^/]+\/device\/updated$/, answer: false });

/** metaserver or edgemesh asks for everything that it shows, and for all changes from then on. */
export const followObjects: MessageKind = defineKind('followObjects', { source: FOLLOWERS, group: Groups.meta, operation: Operations.get, resource: 'stored/objects' });

/** What metaserver read in the cloud. */
export const recordObjects: MessageKind = defineKind('recordObjects', { source: Sources.metaServer, group: Groups.meta, operation: update, resource: 'stored/objects' });

/** Documents of the cloud's API, such as discovery, by path. */
export const queryDocuments: MessageKind = defineKind('queryDocuments', { source: Sources.metaServer, group: Groups.meta, operation: Operations.get, resource: 'stored/documents' });
export const recordDocument: MessageKind = defineKind('recordDocument', { source: Sources.metaServer, group: Groups.meta, operation: update, resource: 'stored/documents' });

/** metaserver asks whether a token that somebody shows is one of those that this node was given. */
export const queryKnownToken: MessageKind = defineKind('queryKnownToken', { source: Sources.metaServer, group: Groups.meta, operation: Operations.get, resource: 'stored/token' });

/** The task manager's upgrade that waits to be confirmed. */
export const upgradeRecord: MessageKind = defineKind('upgradeRecord', { source: Modules.taskManager, group: Groups.meta, operation: [Operations.get, insert, Operations.delete], resource: 'stored/nodejob' });

/** A question about one object, or about all of a type. */
export const queryObjects: MessageKind = defineKind('queryObjects', { group: Groups.meta, operation: query });

/** An object to be created or changed in the cloud. */
export const writeObject: MessageKind = defineKind('writeObject', { group: Groups.meta, operation: [insert, update] });
