import type { Socket } from 'node:net';
import type { ProxyLimits } from './limits.js';

/**
 * Carries bytes both ways until both sides have ended or one broke. Each side ends on its own; a side that reads
 * slowly makes the other wait, so that no more than the sockets' own buffers is held. Both are closed when it resolves. [edgemesh-43]
 */
export function relay(one: Socket, other: Socket, limits: Pick<ProxyLimits, 'idleMs' | 'halfClosedMs'>): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const carry = (from: Socket, to: Socket): void => {
      from.setTimeout(limits.idleMs);
      from.setKeepAlive(true, 60_000);
      from.on('error', (error: NodeJS.ErrnoException) => {
        // The other side learns in the same way: a broken stream must not look like one that ended.
        if (error.code === 'ECONNRESET' && !to.destroyed) to.resetAndDestroy();
        else to.destroy();
        from.destroy();
      });
      from.on('timeout', () => {
        from.destroy();
        to.destroy();
      });
      from.on('end', () => {
        if (limits.halfClosedMs >= limits.idleMs) return;
        from.setTimeout(limits.halfClosedMs);
        to.setTimeout(limits.halfClosedMs);
      });
      from.on('close', () => {
        // After both have ended this comes by itself.
        if (!from.readableEnded) to.destroy();
        open -= 1;
        if (open === 0) resolve();
      });
      from.pipe(to);
    };
    carry(one, other);
    carry(other, one);
    // Whichever is gone already tells nobody any more.
    if (one.destroyed || other.destroyed) {
      one.destroy();
      other.destroy();
      resolve();
    }
  });
}
