import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { errorText } from '@edge/core';
import { ApiError, badRequest, bridgeWebSocket, needsBridge, refusal, type SubresourceHandler, type SubresourceRequest } from '@edge/kubeapi';
import type { TunnelSession } from '@edge/tunnel';
import type { Clients, StoredPod } from '../objects.js';
import { readAnswer } from '../tunnel/node-answer.js';
import type { NodeTunnels } from '../tunnel/node-tunnels.js';
import { relay } from '../tunnel/relay.js';
import { chooseContainer, logRequest, streamRequest, wantedStreams, type KubeletRequest } from './kubelet-request.js';

export interface PodStreamsDeps {
  readonly clients: Clients;
  readonly tunnels: NodeTunnels;
}

/** Refusals of a kubelet are short. */
const REFUSAL_BYTES = 16 * 1024;

/** What a client may see and do inside of pods, through their nodes' tunnels. */
export function podStreams({ clients, tunnels }: PodStreamsDeps): SubresourceHandler[] {
  const podOf = ({ ref }: SubresourceRequest): Promise<StoredPod> => clients.pods.get(ref.name, ref.namespace);
  const upgrade = (subresource: string, kind: 'exec' | 'attach' | 'portForward'): SubresourceHandler => ({
    group: '', plural: 'pods', subresource,
    stream: () => Promise.reject(badRequest('Upgrade request required')),
    upgrade: async (asked, { request, socket, head }) => {
      const pod = await podOf(asked);
      const container = kind === 'portForward' ? undefined : chooseContainer(pod, asked.query.get('container'));
      const asks = streamRequest(kind, pod, container, asked.query, request);
      const open = (more: Partial<KubeletRequest> = {}): TunnelSession => tunnels.open(nodeOf(pod), kind === 'exec' ? 'exec' : 'attach', { ...asks, ...more });
      // As bytes both ways: what the node answers, a refusal included, is what the caller reads.
      if (!needsBridge(request)) return relay(socket as Socket, head, open());
      await bridgeWebSocket({
        request, socket, head, wanted: kind === 'portForward' ? 'ports' : wantedStreams(asked.query),
        ask: (headers) => open({ method: 'POST', headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])) }),
      });
    },
  });
  return [
    {
      group: '', plural: 'pods', subresource: 'log',
      stream: async (asked, { response }) => {
        const pod = await podOf(asked);
        const container = chooseContainer(pod, asked.query.get('container'));
        if (!pod.spec.nodeName) return void response.writeHead(200, { 'Content-Type': 'text/plain' }).end();
        await answerFrom(tunnels, pod.spec.nodeName, logRequest(pod, container, asked.query), response);
      },
    },
    upgrade('exec', 'exec'),
    upgrade('attach', 'attach'),
    upgrade('portforward', 'portForward'),
    {
      group: '', plural: 'nodes', subresource: 'proxy',
      stream: async (asked, { request, response }) => {
        if (request.method !== 'GET') throw new ApiError('MethodNotAllowed', 'a node is only read through this cloud');
        await clients.nodes.get(asked.ref.name);
        const path = `/${asked.path.split('/').map(encodeURIComponent).join('/')}`;
        await answerFrom(tunnels, asked.ref.name, { method: 'GET', path, query: asked.query.toString(), headers: { Connection: ['close'], 'Accept-Encoding': ['identity'] } }, response);
      },
    },
  ];
}

/**
 * Gives a caller what a node's kubelet API answers, as it comes.
 * @throws ApiError with the kubelet's words for a refusal, ServiceUnavailable when the node is not there
 */
async function answerFrom(tunnels: NodeTunnels, node: string, request: KubeletRequest, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  // It may have gone while its pod was looked up; nothing would end a log that is followed then.
  if (response.closed) return;
  // The way of commands: it alone brings the answer's status along.
  const session = tunnels.open(node, 'exec', request);
  const answer = await readAnswer(session, gone.signal).catch((error: unknown) => {
    throw new ApiError('ServiceUnavailable', `node "${node}" did not answer: ${errorText(error)}`);
  });
  const status = answer.statusCode ?? 502;
  if (status >= 300) throw refusal(status, await shortText(answer));
  response.writeHead(status, { 'Content-Type': answer.headers['content-type'] ?? 'text/plain' });
  response.flushHeaders();
  // A caller that goes away, or a node that does, ends it: the head has been sent, so a cut connection is the only way to say so.
  await pipeline(answer, response, { signal: gone.signal }).catch(() => response.destroy());
}

async function shortText(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer) {
    text += String(part);
    if (text.length > REFUSAL_BYTES) break;
  }
  return text;
}

function nodeOf(pod: StoredPod): string {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}
