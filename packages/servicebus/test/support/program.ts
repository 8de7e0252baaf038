import { request, type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

/** What a program on the node was told. */
export interface Told {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: { readonly code: number; readonly msg: string; readonly body: string };
}

export interface Ask {
  readonly body?: string | Buffer;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly signal?: AbortSignal;
  /** Connections that are used again; a new one each time unless given. */
  readonly agent?: Agent;
}

/** A request of a program to the local server. */
export function ask(port: number, { body = '', method = 'POST', path = '/', headers = {}, signal, agent }: Ask = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: agent ?? false, ...(signal === undefined ? {} : { signal }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: JSON.parse(text || '{}') as Told['json'] });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The body that upstream's documents show. */
export function asks(targetURL: string, payload: unknown = {}): string {
  return JSON.stringify({ method: 'POST', targetURL, payload });
}
