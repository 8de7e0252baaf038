import type { SessionKind, TunnelSession } from '@edge/tunnel';

/** One name with its values, in the form that the kubelet API's `/metrics` takes. */
export interface Figure {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

interface PerKind {
  begun: number;
  open: number;
  /** Bytes to the cloud. */
  up: number;
  down: number;
}

/** What has gone through the tunnel since the start. */
export class Figures {
  readonly #kinds = new Map<SessionKind, PerKind>();
  #opened = 0;
  #failed = 0;
  #isOpen = false;

  tunnelOpened(): void {
    this.#opened += 1;
    this.#isOpen = true;
  }

  tunnelEnded(): void {
    this.#isOpen = false;
  }

  dialFailed(): void {
    this.#failed += 1;
  }

  /** Counts a session from its begin to its end. */
  watch(session: TunnelSession, kind: SessionKind): void {
    const counts = this.#kinds.get(kind) ?? { begun: 0, open: 0, up: 0, down: 0 };
    this.#kinds.set(kind, counts);
    counts.begun += 1;
    counts.open += 1;
    session.once('close', () => {
      counts.open -= 1;
      counts.up += session.bytesOut;
      counts.down += session.bytesIn;
    });
  }

  all(): Figure[] {
    const of = (pick: (counts: PerKind) => number): Figure['samples'] => [...this.#kinds].map(([kind, counts]) => ({ labels: { kind }, value: pick(counts) }));
    return [
      { name: 'edgecore_stream_tunnel_open', help: '1 while the tunnel for logs and commands is open', type: 'gauge', samples: [{ value: this.#isOpen ? 1 : 0 }] },
      { name: 'edgecore_stream_tunnels_total', help: 'Tunnels that were opened', type: 'counter', samples: [{ value: this.#opened }] },
      { name: 'edgecore_stream_dial_failures_total', help: 'Attempts to open a tunnel that failed', type: 'counter', samples: [{ value: this.#failed }] },
      { name: 'edgecore_stream_sessions_total', help: 'Sessions that began, by kind', type: 'counter', samples: of(({ begun }) => begun) },
      { name: 'edgecore_stream_sessions_open', help: 'Sessions under way, by kind', type: 'gauge', samples: of(({ open }) => open) },
      { name: 'edgecore_stream_sent_bytes_total', help: 'Bytes of ended sessions to the cloud, by kind', type: 'counter', samples: of(({ up }) => up) },
      { name: 'edgecore_stream_received_bytes_total', help: 'Bytes of ended sessions from the cloud, by kind', type: 'counter', samples: of(({ down }) => down) },
    ];
  }
}
