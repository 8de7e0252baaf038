import { existsSync } from 'node:fs';
import { readFile, rename } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { RuntimeScene } from '../suite-kit.js';
import { outputOf } from '../suite-kit.js';

const LINE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d) (stdout|stderr) [FP] /;

/** Chapter 4: logs. */
export function logChapter(scene: RuntimeScene): void {
  it('[runtime-4.1] writes both streams line by line in the CRI format', async () => {
    const { container } = await scene.started(scene.commands.print('one\n\ntwo\n', 'wrong\n', 0));
    const { logPath } = await scene.exited(container);
    const log = await readFile(logPath, 'latin1');
    const lines = log.split('\n').slice(0, -1);
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatch(LINE);
    expect(outputOf(log, 'stdout')).toBe('one\n\ntwo\n');
    expect(outputOf(log, 'stderr')).toBe('wrong\n');
  });

  it('[runtime-4.2] has all output when the container counts as exited, also a line without an end', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { container } = await scene.started(scene.commands.print('a\nunfinished', 'x', 3));
      const { logPath } = await scene.exited(container);
      const log = await readFile(logPath, 'latin1');
      expect(outputOf(log, 'stdout').trimEnd()).toBe('a\nunfinished');
      expect(outputOf(log, 'stderr').trimEnd()).toBe('x');
    }
  });

  it('[runtime-4.3] splits long lines so that they join to the same text', async () => {
    const long = `${'0123456789'.repeat(4_000)}\nnext ${'é'.repeat(9_000)}\n`;
    const { container } = await scene.started(scene.commands.print(long, '', 0));
    const { logPath } = await scene.exited(container);
    const log = await readFile(logPath, 'latin1');
    expect(outputOf(log, 'stdout')).toBe(Buffer.from(long).toString('latin1'));
    expect(Math.max(...log.split('\n').map((line) => line.length))).toBeLessThanOrEqual(16 * 1024 + 64);
    expect(log).toMatch(/ stdout P /);
  });

  it('[runtime-4.4] goes on in a new file after the log was renamed and reopened, without losing a line', async () => {
    const { container } = await scene.started(scene.commands.count?.(60, 20) ?? []);
    const { logPath } = await scene.runtime.containerStatus(container);
    await scene.logOf(container, (text) => text.includes('line 10\n'));
    await rename(logPath, `${logPath}.old`);
    await scene.runtime.reopenContainerLog(container);
    await scene.exited(container);
    const [first, second] = [await readFile(`${logPath}.old`, 'latin1'), await readFile(logPath, 'latin1')];
    expect(second).toContain('line 60\n');
    expect(outputOf(first, 'stdout') + outputOf(second, 'stdout')).toBe(Array.from({ length: 60 }, (_, n) => `line ${n + 1}\n`).join(''));
  });

  it('[runtime-4.5] keeps the log of a removed container', async () => {
    const { container } = await scene.started(scene.commands.print('last words\n', '', 1));
    const { logPath } = await scene.exited(container);
    await scene.runtime.removeContainer(container);
    expect(existsSync(logPath)).toBe(true);
    expect(outputOf(await readFile(logPath, 'latin1'), 'stdout')).toBe('last words\n');
  });

  it('[runtime-4.6] passes command and arguments exactly, and variables too', async () => {
    const words = ['two words', '', `"quoted" and 'single'`, '$HOME `id` \\ *', 'line\nbreak', '-n', 'ünïcödé'];
    const printed = await scene.started(scene.commands.printArguments?.(...words) ?? []);
    const status = await scene.exited(printed.container);
    expect(outputOf(await readFile(status.logPath, 'utf8'), 'stdout')).toBe(words.map((word) => `[${word}]\n`).join(''));
    const value = ` a 'b' "c" $d \n\te=f `;
    const variable = await scene.started(scene.commands.printVariable?.('SUITE_VALUE') ?? [], { env: [{ name: 'SUITE_VALUE', value }] });
    const end = await scene.exited(variable.container);
    expect(outputOf(await readFile(end.logPath, 'utf8'), 'stdout')).toBe(value);
  });

  it('[runtime-4.7] appends the arguments to the command', async () => {
    const [first = '', ...rest] = scene.commands.print('joined', '', 0);
    const { container } = await scene.started([first], { args: rest });
    const { logPath } = await scene.exited(container);
    expect(outputOf(await readFile(logPath, 'latin1'), 'stdout').trimEnd()).toBe('joined');
  });
}
