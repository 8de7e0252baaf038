import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { badRequest, successStatus, type SubresourceHandler } from '@edge/kubeapi';
import type { Clients, StoredPod } from '../objects.js';
import type { TokenIssuer } from './service-account-tokens.js';

export interface SubresourceDeps {
  readonly clients: Clients;
  readonly tokens: TokenIssuer;
  /** Assigns a pod to a node. */
  readonly bind: (pod: StoredPod, node: string) => Promise<void>;
}

/** What a client may do to a pod or a service account beyond reading and writing it. */
export function subresourceHandlers({ clients, tokens, bind }: SubresourceDeps): SubresourceHandler[] {
  return [
    {
      group: '', plural: 'pods', subresource: 'binding',
      async handle({ ref, body }) {
        const node = (body as { target?: { name?: unknown } } | undefined)?.target?.name;
        if (typeof node !== 'string' || node === '') throw badRequest('target.name must be the name of a node');
        await bind(await clients.pods.get(ref.name, ref.namespace), node);
        return successStatus({ name: ref.name, kind: 'pods' }) as never;
      },
    },
    {
      group: '', plural: 'pods', subresource: 'eviction',
      async handle({ ref, body }) {
        const options = (body as { deleteOptions?: { gracePeriodSeconds?: number } } | undefined)?.deleteOptions;
        await clients.pods.get(ref.name, ref.namespace);
        await clients.pods.delete(ref.name, ref.namespace, options?.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: options.gracePeriodSeconds });
        return successStatus({ name: ref.name, kind: 'pods' }) as never;
      },
    },
    {
      group: '', plural: 'serviceaccounts', subresource: 'token',
      handle: ({ ref, body }) => tokens.issue({ namespace: ref.namespace ?? 'default', name: ref.name }, (body ?? {}) as Record<string, unknown>),
    },
    ...['log', 'exec', 'attach', 'portforward'].map((subresource): SubresourceHandler => ({ group: '', plural: 'pods', subresource, stream: refuseStream, upgrade: refuseUpgrade })),
  ];
}

/** There is no tunnel to the nodes yet; kubectl shows the text. */
const NO_TUNNEL = 'logs, exec, attach and port-forward are not served by this cloud yet; on the node the log is a file below its podLogsDir (edgecore dev: agent/pod-logs in the data folder)';

function refusal(): string {
  return JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message: NO_TUNNEL, reason: 'NotImplemented', code: 501 });
}

async function refuseStream(_request: unknown, { response }: { response: ServerResponse }): Promise<void> {
  response.writeHead(501, { 'content-type': 'application/json' }).end(refusal());
}

async function refuseUpgrade(_request: unknown, { socket }: { socket: Duplex }): Promise<void> {
  const body = refusal();
  socket.end(`HTTP/1.1 501 Not Implemented\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
