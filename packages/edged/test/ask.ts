import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One HTTP request on a connection of its own. */
export async function ask(url: string, options: { method?: string; headers?: Record<string, string>; path?: string } = {}): Promise<Answer> {
  const response = await begin(url, options);
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces).toString('utf8') };
}

/** As `ask`, for an answer that is read while it comes. */
export function begin(url: string, { method = 'GET', headers = {}, path }: { method?: string; headers?: Record<string, string>; path?: string } = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    // `path` goes out as it is; a URL would be tidied up first.
    const asked = request(url, { method, headers, agent: false, ...(path === undefined ? {} : { path }) }, resolve);
    asked.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('was upgraded'));
    });
    asked.on('error', reject);
    asked.end();
  });
}
