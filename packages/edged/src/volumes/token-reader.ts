import { errorStatus, type Pod, type Volume } from '@edge/protocol';
import { edgedError } from '../errors.js';
import { Refused, type MetaClient } from '../apply/meta-client.js';

interface TokenSource {
  audience?: string;
  expirationSeconds?: number;
  path: string;
}

const NONE: ReadonlyMap<string, string> = new Map();

/** Gets service account tokens for projected volumes. metamanager keeps them and asks for new ones in time. */
export class TokenReader {
  readonly #meta: MetaClient;

  constructor(deps: { meta: MetaClient }) {
    this.#meta = deps.meta;
  }

  /**
   * Tokens by their path in the volume.
   * @throws EdgeError `edged.refused`, `edged.bad-answer`
   */
  async forVolume(pod: Pod, volume: Volume, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const parts = (volume.projected?.sources ?? []) as { serviceAccountToken?: TokenSource }[];
    const wanted = parts.flatMap(({ serviceAccountToken }) => serviceAccountToken ?? []);
    if (wanted.length === 0) return NONE;
    const tokens = new Map<string, string>();
    for (const source of wanted) tokens.set(source.path, await this.#token(pod, source, signal));
    return tokens;
  }

  async #token(pod: Pod, source: TokenSource, signal: AbortSignal): Promise<string> {
    const resource = `${pod.metadata.namespace}/serviceaccounttoken/${pod.spec.serviceAccountName ?? 'default'}`;
    const content = await this.#meta.request('query', resource, tokenRequest(pod, source), signal);
    const answer: unknown = Array.isArray(content) ? readRow(resource, content[0]) : content;
    const failed = errorStatus(answer);
    if (failed) throw new Refused(`query ${resource}: ${failed.message}`, failed);
    const token = (answer as { status?: { token?: unknown } } | null)?.status?.token;
    if (typeof token !== 'string' || token === '') throw edgedError('edged.bad-answer', `query ${resource} was answered without a token`);
    return token;
  }
}

/** What is asked for: bound to the pod, so that it dies with it. */
export function tokenRequest(pod: Pod, { audience, expirationSeconds = 3600 }: TokenSource): object {
  return {
    metadata: { creationTimestamp: null },
    spec: {
      audiences: audience ? [audience] : null,
      expirationSeconds,
      boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod.metadata.name, uid: pod.metadata.uid },
    },
    status: { token: '', expirationTimestamp: null },
  };
}

function readRow(resource: string, row: unknown): unknown {
  if (typeof row !== 'string') throw edgedError('edged.bad-answer', `query ${resource} was answered with an empty list`);
  return JSON.parse(row);
}
