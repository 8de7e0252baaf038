import { describe, expect, it } from 'vitest';
import { parseExitCode, parseIdentity, parseStat } from './process-identity.js';

const STAT = '77 (a) b (c) S 1 70 71 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 127046 2654208 392';

describe('what a keeper wrote', () => {
  it('[edged-process-identity-1] the name of a process may hold spaces and brackets', () => {
    expect(parseStat(STAT)).toEqual({ pid: 77, state: 'S', group: 70, session: 71, start: '127046' });
    expect(parseStat('')).toBeUndefined();
  });

  it('[edged-process-identity-2] counts only when it is complete', () => {
    const text = `77\nboot-1\n${STAT}\n`;
    expect(parseIdentity(text)).toEqual({ pid: 77, boot: 'boot-1', start: '127046' });
    for (let length = 0; length < text.length; length += 1) expect(parseIdentity(text.slice(0, length))).toBeUndefined();
  });

  it('[edged-process-identity-3] without /proc the start time is that of ps', () => {
    expect(parseIdentity('77\n\nSun Nov 22 04:00:00 2026  \n')).toEqual({ pid: 77, boot: '', start: 'Sun Nov 22 04:00:00 2026' });
  });

  it('[edged-process-identity-4] an exit code needs its newline', () => {
    expect([parseExitCode(''), parseExitCode('13'), parseExitCode('13\n'), parseExitCode('x\n')]).toEqual([undefined, undefined, 13, undefined]);
  });
});
