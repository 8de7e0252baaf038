import type { Socket } from 'node:net';
import type { TunnelSession } from '@edge/tunnel';

/** Passes bytes between a caller and a session until either has ended; then both have. The node's answer, its head included, comes through it. */
export function relay(socket: Socket, head: Buffer, session: TunnelSession): void {
  socket.setNoDelay(true);
  if (head.length > 0) session.write(head);
  socket.pipe(session);
  session.pipe(socket);
  socket.once('close', () => session.destroy());
  session.once('close', () => {
    // What the node said last still reaches the caller; what was cut off is cut off here, too.
    if (session.readableEnded) socket.destroySoon();
    else socket.destroy();
  });
}
