import type { Socket } from 'node:net';

export interface ProgressLimits {
  readonly stallMs: number;
  readonly limitMs: number;
}

/**
 * Watches an attempt: calls back once when nothing came for `stallMs` or the whole took `limitMs`.
 * Bytes count, not steps: a slow line that moves is left alone, a dead one is given up early.
 */
export function watchProgress(tcp: Socket, { stallMs, limitMs }: ProgressLimits, onStall: (silentMs: number) => void): Disposable {
  const startedAt = performance.now();
  let seen = tcp.bytesRead;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = limitMs - (performance.now() - startedAt);
    timer = setTimeout(check, Math.max(0, Math.min(stallMs, left)));
  };
  const check = (): void => {
    const spent = performance.now() - startedAt;
    if (tcp.bytesRead === seen || spent >= limitMs) {
      onStall(Math.round(Math.min(spent, tcp.bytesRead === seen ? stallMs : limitMs)));
      return;
    }
    seen = tcp.bytesRead;
    arm();
  };
  const onConnect = (): void => {
    clearTimeout(timer);
    arm();
  };
  tcp.once('connect', onConnect);
  arm();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      tcp.off('connect', onConnect);
    },
  };
}
