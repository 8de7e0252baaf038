import { request as httpRequest, type IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { errorText } from '@edge/core';
import type { ConnectRequest } from '@edge/protocol';
import type { TunnelSession } from '@edge/tunnel';
import type { KubeletEndpoint } from './kubelet-endpoint.js';
import { headersFor, targetOf } from './request-head.js';

/**
 * A session that gets the body of an answer, as it comes: logs, measurements. The protocol has no place for the answer's
 * status, so the words of a refusal are all that tells it. It is a GET whatever method is named, as upstream. Resolves when the session is over; never rejects.
 * @param plain asks for a body that is not compressed
 */
export async function streamAnswer(session: TunnelSession, request: ConnectRequest, kubelet: KubeletEndpoint, plain: boolean): Promise<void> {
  const stop = new AbortController();
  session.once('over', () => stop.abort());
  session.once('close', () => stop.abort());
  // Nothing that comes down this way has a meaning, but its end has to be seen.
  session.resume();
  try {
    const answer = await ask(suited(request, plain), kubelet, stop.signal);
    await pipeline(answer, session, { signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) session.end(`the node's kubelet API does not answer: ${errorText(error)}\n`);
  } finally {
    if (!session.writableEnded) session.end();
  }
}

function ask(request: ConnectRequest, kubelet: KubeletEndpoint, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest({
      host: kubelet.host, port: kubelet.port, method: 'GET', path: targetOf(request),
      headers: headersFor(request, kubelet), agent: false, signal,
    });
    asked.once('response', resolve);
    // Who asks for an upgrade here gets what the other way is for.
    asked.once('upgrade', (_answer, socket) => {
      socket.destroy();
      reject(new Error('it offers an upgrade where an answer was asked for'));
    });
    // Stays: one that comes after the answer's head, or a second one, would end the process.
    asked.on('error', reject);
    asked.once('close', () => reject(new Error('the connection was closed')));
    asked.end();
  });
}

/** They speak of a body or a connection that this request does not have. */
const UNFIT = new Set(['connection', 'upgrade', 'content-length', 'transfer-encoding', 'expect']);

function suited(request: ConnectRequest, plain: boolean): ConnectRequest {
  const kept = Object.entries(request.headers).filter(([name]) => !UNFIT.has(name.toLowerCase()) && !(plain && name.toLowerCase() === 'accept-encoding'));
  return { ...request, headers: { ...Object.fromEntries(kept), ...(plain ? { 'Accept-Encoding': ['identity'] } : {}), Connection: ['close'] } };
}
