import { route, type Route } from '@edge/core';
import { createResponse, defineKind, Operations, type MessageKind } from '@edge/protocol';
import type { EdgeStream } from './edgestream.js';

/** The kubelet API's `/metrics` asks for the figures of the tunnel. */
export const queryFigures: MessageKind = defineKind('queryFigures', { operation: Operations.get, resource: 'metrics' });

export const routes: readonly Route<EdgeStream>[] = [route(queryFigures, 'questions', (edgestream, _content, message) => createResponse(message, edgestream.figures()))];
