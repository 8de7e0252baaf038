import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { MapperError, MapperErrors } from '../errors.js';
import { withoutSecrets } from './push-target.js';

/** As much of an answer is read as a log line can show. */
const SHOWN_BYTES = 300;

/**
 * Posts a body and waits for an answer of success.
 * @throws MapperError `mapper.push-failed`, with the status and the beginning of the answer
 */
export function post(url: string, body: string, headers: Readonly<Record<string, string>>, timeoutMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string, cause?: unknown): void => reject(new MapperError(MapperErrors.pushFailed, `POST ${withoutSecrets(url)}: ${reason}`, cause === undefined ? undefined : { cause }));
    let send: typeof httpRequest;
    try {
      send = new URL(url).protocol === 'https:' ? httpsRequest : httpRequest;
    } catch (error) {
      return fail('this is no URL', error);
    }
    const request = send(url, { method: 'POST', headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) }, (response) => {
      let shown = '';
      response.on('data', (chunk: Buffer) => {
        if (shown.length < SHOWN_BYTES) shown += chunk.toString('utf8', 0, SHOWN_BYTES);
      });
      response.on('error', (error) => fail('the answer broke off', error));
      response.on('end', () => {
        const { statusCode = 0 } = response;
        if (statusCode >= 200 && statusCode < 300) resolve();
        else fail(`answered ${statusCode} ${shown.slice(0, SHOWN_BYTES)}`);
      });
    });
    request.on('error', (error) => fail(error.name === 'TimeoutError' || error.name === 'AbortError' ? `no answer within ${timeoutMs} ms` : 'failed', error));
    request.end(body);
  });
}
