import { badRequest, successStatus, type SubresourceHandler } from '@edge/kubeapi';
import type { Clients, StoredPod } from '../objects.js';
import type { NodeTunnels } from '../tunnel/node-tunnels.js';
import { podStreams } from './pod-streams.js';
import type { TokenIssuer } from './service-account-tokens.js';

export interface SubresourceDeps {
  readonly clients: Clients;
  readonly tokens: TokenIssuer;
  readonly tunnels: NodeTunnels;
  /** Assigns a pod to a node. */
  readonly bind: (pod: StoredPod, node: string) => Promise<void>;
}

/** What a client may do to a pod or a service account beyond reading and writing it. */
export function subresourceHandlers({ clients, tokens, tunnels, bind }: SubresourceDeps): SubresourceHandler[] {
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
    ...podStreams({ clients, tunnels }),
  ];
}
