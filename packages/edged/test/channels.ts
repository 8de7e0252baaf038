import WebSocket from 'ws';

/** The v4 protocol of exec and attach over WebSocket: the first byte of a message says which stream it belongs to. */
export class Channels {
  readonly #socket: WebSocket;
  readonly #received = new Map<number, Buffer[]>();
  readonly closed: Promise<void>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.#socket = new WebSocket(url, ['v4.channel.k8s.io'], { headers, maxPayload: 0 });
    this.#socket.on('message', (data: Buffer) => {
      const pieces = this.#received.get(data[0] as number) ?? [];
      pieces.push(data.subarray(1));
      this.#received.set(data[0] as number, pieces);
    });
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()));
  }

  /** @throws what the server answered instead of an upgrade */
  opened(): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#socket.once('open', () => resolve(this));
      this.#socket.once('unexpected-response', (_request, response) => {
        response.resume();
        reject(new Error(`answered ${response.statusCode}`));
      });
      this.#socket.on('error', reject);
    });
  }

  get stdout(): Buffer {
    return Buffer.concat(this.#received.get(1) ?? []);
  }
  get stderr(): string {
    return Buffer.concat(this.#received.get(2) ?? []).toString();
  }
  /** How the command ended; undefined while it runs. */
  get status(): { status: string; message?: string; details?: { causes: { reason: string; message: string }[] } } | undefined {
    const text = Buffer.concat(this.#received.get(3) ?? []).toString();
    return text === '' ? undefined : (JSON.parse(text) as { status: string });
  }

  stdin(data: string | Buffer): Promise<void> {
    return this.#send(0, Buffer.from(data));
  }

  resize(columns: number, rows: number): Promise<void> {
    return this.#send(4, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));
  }

  /** Breaks the connection without a word. */
  breakOff(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }

  #send(channel: number, data: Buffer): Promise<void> {
    return new Promise((resolve, reject) => this.#socket.send(Buffer.concat([Buffer.of(channel), data]), (error) => (error ? reject(error) : resolve())));
  }
}
