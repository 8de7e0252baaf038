import { abortError, type CloudLink } from '@edge/core';

/** Waits so long, or less when another session with the cloud begins. Rejects when aborted. */
export function pauseUnlessNewSession(link: CloudLink, session: number, milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError(signal));
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      subscription[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const onAbort = (): void => end(() => reject(abortError(signal)));
    const timer = setTimeout(() => end(resolve), milliseconds);
    const subscription = link.subscribe((status) => {
      if (status.connected && status.session !== session) end(resolve);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (link.value.connected && link.value.session !== session) end(resolve);
  });
}
