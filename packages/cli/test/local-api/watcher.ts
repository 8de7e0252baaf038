import { eventually } from '../support/agent.js';

/** One event of a watch as a client sees it, in few words: `ADDED a 1`. */
export interface Watcher extends AsyncDisposable {
  readonly seen: readonly string[];
  /** Resolves when the last event is this one. */
  until(last: string): Promise<void>;
}

interface Event {
  readonly type: string;
  readonly object: { readonly metadata: { readonly name?: string; readonly resourceVersion: string }; readonly data?: Record<string, string> };
}

const PAUSE_MS = 100;

/** Follows ConfigMaps as client-go's reflector does: lists once, then watches after the last version it has seen, again and again. */
export async function watchConfigMaps(url: string, namespace: string): Promise<Watcher> {
  const path = `${url}/api/v1/namespaces/${namespace}/configmaps`;
  const end = new AbortController();
  const seen: string[] = [];
  let version = ((await (await fetch(path)).json()) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
  const note = ({ type, object }: Event): void => {
    if (type === 'ERROR') seen.push(`ERROR ${JSON.stringify(object)}`);
    else version = object.metadata.resourceVersion;
    if (type !== 'BOOKMARK' && type !== 'ERROR') seen.push(`${type} ${object.metadata.name ?? ''} ${object.data?.['n'] ?? '-'}`);
  };
  const once = async (): Promise<void> => {
    const response = await fetch(`${path}?watch=1&allowWatchBookmarks=true&resourceVersion=${version}`, { signal: end.signal });
    let text = '';
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true });
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) note(JSON.parse(line) as Event);
    }
  };
  const life = (async () => {
    while (!end.signal.aborted) {
      // The agent is away, or the watch has come to its end: again.
      await once().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  })();
  return {
    seen,
    until: (last) => eventually(() => seen.at(-1) === last, 60_000, () => `the watch has not seen ${last}; it saw:\n${seen.join('\n')}`),
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await life;
    },
  };
}
