import { spawn, type ChildProcess } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@edge/testing';
import { figure, median } from './figure.js';

const SERVICES = 1000;
const RUNS = 3;
const SECONDS = process.argv.includes('--quick') ? 1 : 3;
/** Questions on the way, on all sockets together. */
const WINDOW = 128;
const SOCKETS = 4;
const DNSMASQ = '/usr/sbin/dnsmasq';

function question(index: number): Buffer {
  const labels = `s${index}.default.svc.cluster.local`.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]);
  return Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...labels, 0, 0, 1, 0, 1]);
}
const questions = Array.from({ length: SERVICES }, (_, index) => question(index));

/** Answers a second that hold an address. A lost datagram gives its place back after a moment without answers. */
async function answersPerSecond(port: number): Promise<number> {
  let [answers, wrong, next] = [0, 0, 0];
  let isOver = false;
  const sockets: Socket[] = [];
  const ask = (socket: Socket): void => {
    const bytes = questions[next % SERVICES] as Buffer;
    bytes.writeUInt16BE(next & 0xffff, 0);
    next += 1;
    socket.send(bytes);
  };
  for (let left = SOCKETS; left > 0; left -= 1) {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
    sockets.push(socket);
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('message', (bytes) => {
      answers += 1;
      if (bytes.readUInt16BE(6) !== 1) wrong += 1;
      if (!isOver) ask(socket);
    });
    for (let out = 0; out < WINDOW / SOCKETS; out += 1) ask(socket);
  }
  let before = 0;
  const watching = setInterval(() => {
    if (answers === before) for (const socket of sockets) for (let out = 0; out < WINDOW / SOCKETS; out += 1) ask(socket);
    before = answers;
  }, 200);
  const start = performance.now();
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  const rate = (answers / (performance.now() - start)) * 1000;
  isOver = true;
  clearInterval(watching);
  for (const socket of sockets) socket.close();
  if (wrong > 0 || answers === 0) throw new Error(`${wrong} of ${answers} answers hold no address`);
  return rate;
}

async function measure(name: string, child: ChildProcess, port: number, note?: string): Promise<void> {
  try {
    await answersPerSecond(port);
    figure(name, Math.round(await median(RUNS, () => answersPerSecond(port))), 'answers/s', note);
  } finally {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }
}

const port = await freePort();
const program = fileURLToPath(new URL('./names-server.program.mjs', import.meta.url));
const mesh = spawn(process.execPath, [program, String(SERVICES), String(port), '1'], { stdio: ['ignore', 'pipe', 'inherit'] });
await once(mesh.stdout, 'data');
await measure(`names: ${SERVICES} services, UDP`, mesh, port, 'one asker, who shares the machine');

if (existsSync(DNSMASQ)) {
  const folder = mkdtempSync(join(tmpdir(), 'edge-dnsmasq-'));
  const hosts = join(folder, 'hosts');
  writeFileSync(hosts, Array.from({ length: SERVICES }, (_, index) => `10.96.${index >> 8}.${index & 255} s${index}.default.svc.cluster.local\n`).join(''));
  const other = await freePort();
  const dnsmasq = spawn(DNSMASQ, ['--keep-in-foreground', '--conf-file=/dev/null', `--port=${other}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--no-resolv', '--no-hosts', `--addn-hosts=${hosts}`, '--user=root', '--pid-file', '--cache-size=1000'], { stdio: ['ignore', 'ignore', 'inherit'] });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  try {
    await measure('names: the same of dnsmasq', dnsmasq, other);
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  process.stderr.write(`${DNSMASQ} is not there (Debian's dnsmasq-base): nothing to compare with\n`);
}
