import { createHash, randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { eventually } from '../support/agent.js';
import type { StreamScene } from './stream-scene.js';

const sum = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** `kubectl exec` and `attach`. */
export function commandTests(scene: () => StreamScene): void {
  it('[cli-stream-1.2] kubectl exec: exit codes, both outputs, input to its end, bytes of any value', { timeout: 300_000 }, async () => {
    const { kubectl, spdy } = scene();
    expect(await kubectl.run(['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])).toMatchObject({ code: 7, stdout: Buffer.from('out\n'), stderr: expect.stringContaining('err\n') as string });
    const codes = [['true'], ['sh', '-c', 'no-such-thing'], ['sh', '-c', 'kill -9 $$'], ['no-such-thing']].map(async (words) => (await spdy.run(['exec', 'p', '--', ...words])).code);
    expect(await Promise.all(codes)).toEqual([0, 127, 137, 1]);
    // Connections of which one direction has ended get 5 s of silence; the end of the input is none of those.
    const late = [kubectl, spdy].map((client) => client.run(['exec', '-i', 'p', '--', 'sh', '-c', 'cat; sleep 7; echo late'], Buffer.from('early ')));
    const bytes = randomBytes(5 * 1024 * 1024);
    for (const client of [kubectl, spdy]) {
      const back = await client.run(['exec', '-i', 'p', '--', 'cat'], bytes);
      expect([back.code, sum(back.stdout)]).toEqual([0, sum(bytes)]);
      // The end of the input is not the end of the command: what it says then still comes, and so does its code.
      expect(await client.run(['exec', '-i', 'p', '--', 'sh', '-c', 'wc -c; exit 3'], Buffer.from('four'))).toMatchObject({ code: 3, stdout: Buffer.from('4\n') });
    }
    for (const { code, stdout } of await Promise.all(late)) expect([code, String(stdout)]).toEqual([0, 'early late\n']);
    expect((await kubectl.run(['exec', 'nobody', '--', 'true'])).stderr).toContain('pods "nobody" not found');
  });

  it('[cli-stream-1.7] kubectl exec -it: a terminal as large as the window, that grows and shrinks with it, hears keys and gives the exit code', { timeout: 300_000 }, async () => {
    for (const client of [scene().kubectl, scene().spdy]) {
      const terminal = await client.terminal(30, 90, 'exec', '-it', 'p', '--', 'sh');
      await terminal.shows('# ');
      const size = async (rows: number, columns: number): Promise<void> => {
        await eventually(() => {
          terminal.type('stty size\r');
          return new Promise((resolve) => setTimeout(() => resolve(terminal.said.includes(`${rows} ${columns}\r\n`)), 300));
        }, 90_000, () => `the size is not ${rows} ${columns}: ${terminal.said}`);
      };
      await size(30, 90);
      await terminal.resize(55, 181);
      await size(55, 181);
      await terminal.resize(11, 40);
      await size(11, 40);
      // Ctrl-C ends what runs in the terminal, not the terminal.
      terminal.type('echo began; sleep 100000\r');
      await terminal.shows(/\nbegan\r/);
      terminal.type('\x03');
      terminal.type('exit 5\r');
      expect(await terminal.ended).toBe(5);
    }
  });

  it('[cli-stream-1.8] kubectl attach: the main process is seen and, with -it, spoken to; who goes away does not end it', { timeout: 300_000 }, async () => {
    const { kubectl, spdy } = scene();
    const seen = kubectl.start('attach', 'p');
    await seen.shows(/line \d+\n/);
    await seen.kill();
    for (const client of [kubectl, spdy]) {
      const terminal = await client.terminal(24, 80, 'attach', '-it', 'shell');
      await eventually(() => {
        terminal.type('hello\r');
        return new Promise((resolve) => setTimeout(() => resolve(terminal.said.includes('heard hello')), 300));
      }, 90_000, () => `attach showed: ${terminal.said}`);
      await terminal.kill();
    }
    expect(await kubectl.text('get', 'pod', 'shell', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}{.status.phase}')).toBe('0Running');
  });
}
