import { CONNECTION_RESOURCE, defineKind, Groups, NODE_JOBS_API, Operations, Sources, type MessageKind } from '@edge/protocol';

/** edgehub's notice that the link opened or closed. Nothing is done about it: reports wait on the disk until they are read. */
export const connectionNotice: MessageKind = defineKind('connectionNotice', { resource: CONNECTION_RESOURCE, operation: Operations.connect });

/** Somebody at the node lets an upgrade go that waits for that. Answered with `{confirmed}`. */
export const confirmUpgrade: MessageKind = defineKind('confirmUpgrade', { source: Sources.metaServer, operation: Operations.update, resource: 'upgrade/confirm' });

/** A job of v1alpha2: the node walks its actions by itself. */
export const jobOrdered: MessageKind = defineKind('jobOrdered', { group: Groups.taskManager, resource: new RegExp(`^${NODE_JOBS_API.replaceAll('.', '\\.')}`), answer: false });

/** One stage of a job of v1alpha1; as upstream has it, everything else is one. */
export const taskOrdered: MessageKind = defineKind('taskOrdered', { source: Sources.taskManager, group: Groups.taskManager, answer: false });
