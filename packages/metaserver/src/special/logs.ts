import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiError, type StatusReason, type SubresourceHandler, type SubresourceRequest } from '@edge/kubeapi';
import { isFields } from '@edge/protocol';
import { chooseContainer } from './container.js';
import type { Kubelet } from './kubelet.js';
import { logMessages } from './log-messages.js';
import type { NodePods } from './node-pods.js';

/** Members of PodLogOptions that edged looks at. */
const OPTIONS = ['follow', 'previous', 'sinceSeconds', 'sinceTime', 'timestamps', 'tailLines', 'limitBytes', 'stream'];
/** A refusal is a line of text. */
const MOST_WORDS = 4096;

const REASONS: Readonly<Record<number, StatusReason>> = { 400: 'BadRequest', 404: 'NotFound', 405: 'MethodNotAllowed', 422: 'Invalid', 429: 'TooManyRequests', 503: 'ServiceUnavailable' };

/**
 * `pods/log`: the container's log as text, as an API server gives it. `keadm ctl logs`, which says who it is, gets upstream's
 * JSON unless it follows. [metaserver-30.1]
 */
export function logHandler(deps: { pods: NodePods; kubelet: Kubelet }): SubresourceHandler {
  return {
    group: '', plural: 'pods', subresource: 'log',
    stream: async (asked, { request, response }) => {
      if (asked.verb !== 'get') throw new ApiError('MethodNotAllowed', `pods/log is read, ${asked.verb} is not served`);
      const signal = asked.context.signal ?? new AbortController().signal;
      const log = await deps.kubelet.get(await pathOf(deps.pods, asked), signal);
      if (log.statusCode !== 200) throw await refusalOf(log);
      const isFollowed = ['true', '1'].includes(asked.query.get('follow') ?? '');
      await pass(log, response, isKeadm(request) && !isFollowed);
    },
  };
}

async function pathOf(pods: NodePods, { ref, query, context }: SubresourceRequest): Promise<string> {
  const pod = await pods.ofThisNode(ref, context);
  const container = chooseContainer(pod, query.get('container') ?? '');
  const options = new URLSearchParams([...query].filter(([name, value]) => OPTIONS.includes(name) && value !== ''));
  return `/containerLogs/${[ref.namespace ?? '', ref.name, container].map(encodeURIComponent).join('/')}?${options.toString()}`;
}

/** Go programs name themselves by their file: `keadm/v1.23.1 (linux/amd64) kubernetes/…`. */
export function isKeadm({ headers }: IncomingMessage): boolean {
  return /^keadm(?:[/.-]|$)/.test(headers['user-agent'] ?? '');
}

async function pass(log: IncomingMessage, response: ServerResponse, asMessages: boolean): Promise<void> {
  response.writeHead(200, { 'Content-Type': asMessages ? 'application/json' : 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache, private', 'X-Content-Type-Options': 'nosniff' });
  // Who follows wants to know at once that it will come.
  response.flushHeaders();
  try {
    await (asMessages ? pipeline(log, logMessages, response) : pipeline(log, response));
  } catch {
    // The client has gone, or the log broke off: a cut connection is the only way left to say that this is not all.
    response.destroy();
  }
}

/** edged's refusal as a Status. Its words may be in JSON. */
async function refusalOf(answer: IncomingMessage): Promise<ApiError> {
  let words = '';
  for await (const piece of answer as AsyncIterable<Buffer>) if (words.length < MOST_WORDS) words += piece.toString('utf8');
  const status = answer.statusCode ?? 500;
  return new ApiError(REASONS[status] ?? 'InternalError', messageIn(words.trim()) || `the log could not be read: edged answered ${status}`);
}

function messageIn(words: string): string {
  try {
    const content: unknown = JSON.parse(words);
    return isFields(content) && typeof content.message === 'string' ? content.message : words;
  } catch {
    return words;
  }
}
