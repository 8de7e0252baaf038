import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './agent.js';

/** What systemd does at its end: takes datagrams, and lets go of the barrier, which comes as a descriptor. */
const RECEIVER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
while True:
    data, ancillary, *_ = s.recvmsg(65536, socket.CMSG_LEN(64))
    for level, kind, fds in ancillary:
        if kind == socket.SCM_RIGHTS:
            for fd in array.array("i", fds): os.close(fd)
    print(" | ".join(data.decode().strip().split("\\n")), flush=True)
`;

/** A real datagram socket, as systemd gives to its services. */
export interface NotifySocket extends AsyncDisposable {
  readonly path: string;
  /** Each message in one line, its assignments joined by ` | `. */
  readonly received: readonly string[];
  /** Resolves when such a message has come after the first `from`. */
  until(line: string, from?: number): Promise<void>;
}

const LIMIT_MS = 120_000;

export async function openNotifySocket(): Promise<NotifySocket> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-notify-'));
  const path = join(folder, 'notify');
  const receiver = spawn('/usr/bin/python3', ['-c', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const received: string[] = [];
  let bound = false;
  let text = '';
  receiver.stdout.on('data', (chunk) => {
    text += String(chunk);
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    bound ||= lines.includes('bound');
    received.push(...lines.filter((line) => line !== 'BARRIER=1' && line !== 'bound'));
  });
  await eventually(() => bound, LIMIT_MS, () => 'the receiver did not start');
  return {
    path,
    received,
    until: (line, from = 0) => eventually(() => received.slice(from).includes(line), LIMIT_MS, () => `"${line}" is not among ${JSON.stringify(received.slice(from))}`),
    [Symbol.asyncDispose]: async () => {
      const gone = once(receiver, 'exit');
      receiver.kill('SIGKILL');
      await gone;
      await rm(folder, { recursive: true });
    },
  };
}
