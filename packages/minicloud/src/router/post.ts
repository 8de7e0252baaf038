import { abortError, errorText } from '@edge/core';
import { minicloudError, MinicloudErrors } from '../errors.js';

/** Of an application's answer so much goes to the program that asked, as with CloudCore. */
export const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * Posts to an application in the cloud: without headers, as CloudCore does, whatever its status. Gives the text of its answer, the first
 * MiB of it.
 * @throws EdgeError `minicloud.not-done` with what is wrong, or `core.aborted`
 */
export async function post(url: string, content: string, timeoutMs: number, signal: AbortSignal): Promise<{ status: number; text: string }> {
  const since = performance.now();
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => stop.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs);
  try {
    const response = await fetch(url, { method: 'POST', body: Buffer.from(content), signal: stop.signal });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      chunks.push(chunk as Uint8Array);
      bytes += (chunk as Uint8Array).length;
      if (bytes >= MAX_ANSWER_BYTES) break;
    }
    return { status: response.status, text: Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString() };
  } catch (error) {
    if (signal.aborted) throw abortError(signal);
    throw minicloudError(MinicloudErrors.notDone, `${url} did not take it: ${errorText(error)} (after ${Math.round(performance.now() - since)} ms)`, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
