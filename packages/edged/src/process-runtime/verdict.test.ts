import { describe, expect, it } from 'vitest';
import type { Evidence } from './verdict.js';
import { judge, startFailure } from './verdict.js';

const keeper = { pid: 100, boot: 'b1', start: '1' };
const main = { pid: 101, boot: 'b1', start: '2' };
const nothing: Evidence = { boot: 'b1', keeperAlive: false };

describe('the state of a container', () => {
  it.each<[string, Evidence, string]>([
    ['nothing is there', nothing, 'created'],
    ['the keeper has just begun', { ...nothing, keeper: 'unfinished' }, 'starting'],
    ['the keeper lives but there is no main process yet', { ...nothing, keeper, keeperAlive: true }, 'starting'],
    ['both live', { ...nothing, keeper, keeperAlive: true, main }, 'running'],
    ['there is an exit code, though the keeper still lives', { ...nothing, keeper, keeperAlive: true, main, exit: { code: 0, at: 5 } }, 'exited'],
    ['the keeper is gone', { ...nothing, keeper, main }, 'exited'],
    ['the keeper never finished its file', { ...nothing, keeper: 'torn' }, 'exited'],
    ['an agent has noted the end', { ...nothing, outcome: startFailure('no such file', 7) }, 'exited'],
  ])('[edged-process-state-1] when %s', (_, evidence, state) => {
    expect(judge(evidence, 9).state).toBe(state);
  });

  it('[edged-process-state-2] takes code and time from the keeper', () => {
    expect(judge({ ...nothing, keeper, main, exit: { code: 3, at: 5 } }, 9)).toEqual({
      state: 'exited',
      settled: false,
      outcome: { exitCode: 3, finishedAt: 5, reason: 'Error', message: '' },
    });
    expect(judge({ ...nothing, keeper, main, exit: { code: 0, at: 5 } }, 9)).toMatchObject({ outcome: { exitCode: 0, reason: 'Completed' } });
  });

  it('[edged-process-state-3] assumes 137 when the keeper was killed, and says that it does not know after a restart of the machine', () => {
    expect(judge({ ...nothing, keeper, main }, 9)).toMatchObject({ settled: false, outcome: { exitCode: 137, finishedAt: 9, reason: 'Error' } });
    expect(judge({ ...nothing, keeper, main, boot: 'b2' }, 9)).toMatchObject({ outcome: { exitCode: 137, reason: 'ContainerStatusUnknown' } });
    expect(judge({ ...nothing, keeper: 'torn' }, 9)).toMatchObject({ outcome: { exitCode: 137, reason: 'ContainerStatusUnknown' } });
  });

  it('[edged-process-state-4] what an agent has noted stands, whatever the files say', () => {
    const outcome = { exitCode: 137, finishedAt: 4, reason: 'Error', message: 'killed' };
    expect(judge({ ...nothing, keeper, main, outcome, exit: { code: 1, at: 8 } }, 9)).toEqual({ state: 'exited', settled: true, outcome });
  });
});
