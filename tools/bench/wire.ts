import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A relay that counts what TLS makes of the payload. */
export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** Bytes of TCP payload so far, both ways. */
  readonly bytes: number;
}

export async function countingRelay(target: { readonly host: string; readonly port: number }): Promise<Wire> {
  let bytes = 0;
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      open.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk) => (bytes += chunk.length));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
