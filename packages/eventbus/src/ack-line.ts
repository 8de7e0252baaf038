interface Entry {
  readonly bytes: Buffer;
  ready: boolean;
}

/** Acknowledgements leave in the order in which the messages came, each when its message is taken. */
export class AckLine {
  readonly #write: (bytes: Buffer) => void;
  #entries: Entry[] = [];

  constructor(write: (bytes: Buffer) => void) {
    this.#write = write;
  }

  /** Acknowledges at once unless others come first. */
  add(bytes: Buffer): void {
    if (this.#entries.length === 0) this.#write(bytes);
    else this.#entries.push({ bytes, ready: true });
  }

  /** Keeps a place; the acknowledgement leaves after the result is called and all before it have left. */
  reserve(bytes: Buffer): () => void {
    const entry: Entry = { bytes, ready: false };
    this.#entries.push(entry);
    return () => {
      entry.ready = true;
      if (this.#entries[0] !== entry) return;
      const end = this.#entries.findIndex(({ ready }) => !ready);
      const ready = end < 0 ? this.#entries : this.#entries.slice(0, end);
      this.#entries = end < 0 ? [] : this.#entries.slice(end);
      for (const next of ready) this.#write(next.bytes);
    };
  }
}
