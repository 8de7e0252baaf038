import { WebSocket, type ClientOptions } from 'ws';

/** What a command in a container said and how it ended. */
export interface RemoteOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** `Success`, or what went wrong in the words of the server. */
  readonly status: string;
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;

/**
 * Runs a command by a kubelet's or a runtime's streaming URL, as clients of Kubernetes do: WebSocket, each message led by
 * the number of its channel. Rejects when the server refuses.
 * @param client what the server wants to see: an authority, headers
 */
export function remoteCommand(url: string, stdin?: string, client: ClientOptions = {}): Promise<RemoteOutcome> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), ['v4.channel.k8s.io'], { ...client, perMessageDeflate: false });
  const texts: Record<number, string> = {};
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      if (stdin !== undefined) socket.send(Buffer.concat([Buffer.from([STDIN]), Buffer.from(stdin)]));
    });
    socket.on('message', (data: Buffer) => {
      const channel = data[0] ?? STATUS;
      texts[channel] = (texts[channel] ?? '') + data.subarray(1).toString();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      const { status = '', message = '' } = JSON.parse(texts[STATUS] ?? '{}') as { status?: string; message?: string };
      resolve({ stdout: texts[STDOUT] ?? '', stderr: texts[STDERR] ?? '', status: status === 'Success' ? status : message });
    });
  });
}
