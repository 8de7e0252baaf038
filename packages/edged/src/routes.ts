import { route, type Route } from '@edge/core';
import { createResponse, parseResource } from '@edge/protocol';
import type { Edged } from './edged.js';
import { nodePatchAnswered, objectChanged, otherPush, podChanged, podDeleteAnswered, podDeleted, podPatchAnswered, podReleased, pullImage, queryKubeletEndpoint, queryNodeReadiness, remarkOnNode, restartPods, runCommand, volumeOperation } from './kinds.js';

/** Pods in order: a deletion must not overtake the change before it. The work itself is done by workers, side by side. */
export const routes: readonly Route<Edged>[] = [
  route(podChanged, 'pods', (edged, pod) => edged.podChanged(pod)),
  route(podDeleted, 'pods', (edged, pod, { route: { resource } }) => edged.podDeleted(pod, parseResource(resource))),
  route(podReleased, 'pods', (edged, _content, { route: { resource } }) => edged.podReleased(parseResource(resource))),
  route(podPatchAnswered, 'pods', (edged, _content, message) => edged.podPatchAnswered(message)),
  route(podDeleteAnswered, 'pods', (edged, content, message) => edged.podDeleteAnswered(content, message)),
  route(objectChanged, 'objects', (edged, _object, { route: { resource } }) => edged.objectChanged(parseResource(resource))),
  // Each volume by itself: a driver that hangs holds up no other.
  route(volumeOperation, ({ route: { resource } }) => resource, async (edged, _content, message) => createResponse(message, await edged.volumeOperation(message))),
  route(nodePatchAnswered, 'node', (edged, _content, message) => edged.nodePatchAnswered(message)),
  route(queryKubeletEndpoint, 'questions', (edged, _content, message) => createResponse(message, edged.kubeletEndpoint)),
  route(queryNodeReadiness, 'questions', async (edged, _content, message) => createResponse(message, await edged.nodeReadiness())),
  route(remarkOnNode, 'node', (edged, content) => edged.remarkOnNode(content)),
  // Each by itself: a container that does not end, or a command that does not, holds up no other.
  route(restartPods, ({ header }) => header.id, async (edged, _content, message) => createResponse(message, await edged.restartPods(message))),
  route(runCommand, ({ header }) => header.id, async (edged, _content, message) => createResponse(message, await edged.runCommand(message))),
  route(pullImage, ({ header }) => header.id, async (edged, _content, message) => createResponse(message, await edged.pullImage(message))),
  route(otherPush, 'others', () => undefined),
];
