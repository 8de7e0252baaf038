import type { Wire, WireEvents } from '../src/index.js';

/** One end of a wire in memory: delivers in order, one message a turn, and nothing while the other end is paused. */
export class MemoryWire implements Wire {
  peer: MemoryWire | undefined;
  bytesReceived = 0;
  pings = 0;
  paused = false;
  open = true;
  /** Everything that was sent. */
  readonly sent: Buffer[] = [];
  readonly #inbox: { readonly bytes: Buffer; readonly done: (error?: Error) => void }[] = [];
  #events: WireEvents | undefined;

  static pair(): [MemoryWire, MemoryWire] {
    const [a, b] = [new MemoryWire(), new MemoryWire()];
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  listen(events: WireEvents): void {
    this.#events = events;
  }

  send(bytes: Uint8Array, done: (error?: Error) => void): void {
    const copy = Buffer.from(bytes);
    this.sent.push(copy);
    if (!this.open || !this.peer) return done(new Error('closed'));
    this.peer.#inbox.push({ bytes: copy, done });
    setImmediate(() => this.peer?.deliver());
  }

  /** Hands over the next message that came. */
  deliver(): void {
    if (this.paused || !this.open) return;
    const next = this.#inbox.shift();
    if (!next) return;
    this.bytesReceived += next.bytes.length;
    this.#events?.frame(next.bytes);
    next.done();
    if (this.#inbox.length > 0) setImmediate(() => this.deliver());
  }

  ping(): void {
    this.pings += 1;
    if (this.peer) this.peer.bytesReceived += 1;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    setImmediate(() => this.deliver());
  }

  close(): void {
    this.terminate();
  }

  terminate(): void {
    if (!this.open) return;
    this.open = false;
    this.#events?.closed('cut');
    this.peer?.terminate();
  }
}
