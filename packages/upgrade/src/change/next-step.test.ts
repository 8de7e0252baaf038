import { describe, expect, it } from 'vitest';
import { PHASES, type Journal, type Phase } from './journal.js';
import { MOST_ATTEMPTS, nextStep, type Facts, type Step } from './next-step.js';

const JOURNAL: Journal = { id: 'a', event: 'Upgrade', from: '1.0.0', to: '2.0.0', phase: 'begun', attempts: 1, readyTimeoutSeconds: 60, settleSeconds: 5, needsLink: true, tolerated: [], databasePath: '/db' };
const BOOLEANS = [true, false];
const ALL_FACTS: readonly Facts[] = BOOLEANS.flatMap((held) => BOOLEANS.flatMap((toWhole) => BOOLEANS.flatMap((fromWhole) => BOOLEANS.map((copied) => ({ held, toWhole, fromWhole, copied })))));

/** `H` held, `T` new whole, `F` old whole, `C` copied; a point for what is not so. */
const facts = (letters: string): Facts => ({ held: letters.includes('H'), toWhole: letters.includes('T'), fromWhole: letters.includes('F'), copied: letters.includes('C') });
const short = (step: Step): string => [step.do, ...('then' in step ? [step.then] : []), ...('last' in step ? [String(step.last)] : []), ...('success' in step ? [String(step.success)] : [])].join(' ');

describe('the next step of a change', () => {
  it.each([
    // Forward.
    ['begun', '.TF.', 'hold'],
    ['begun', '.TFC', 'hold'],
    ['begun', 'HTF.', 'note-stopped stopped'],
    ['begun', '..F.', 'give-up returned'],
    ['begun', 'H.F.', 'give-up returning'],
    ['stopped', 'HTF.', 'copy'],
    ['stopped', '.TF.', 'hold'],
    ['stopped', '..F.', 'give-up returning'],
    ['copied', 'HTFC', 'switch'],
    ['copied', '.TFC', 'hold'],
    ['copied', 'H.FC', 'give-up returning'],
    ['switched', 'HTFC', 'try'],
    ['switched', '.TFC', 'try'],
    ['switched', 'H.FC', 'give-up returning'],
    ['proven', '.TFC', 'finish true'],
    // Back.
    ['returning', '.TFC', 'hold'],
    ['returning', 'HTFC', 'note-stopped stopped-again'],
    ['returning', '.T.C', 'finish false'],
    ['stopped-again', 'HTFC', 'switch-back'],
    ['stopped-again', '.TFC', 'hold'],
    ['stopped-again', 'HT.C', 'finish false'],
    ['back', 'H.FC', 'try-back false'],
    ['unstartable', '.TFC', 'hold'],
    ['unstartable', 'HTFC', 'restore'],
    ['unstartable', 'HTF.', 'finish false'],
    ['restored', 'HTFC', 'try-back true'],
    ['returned', '.TFC', 'finish false'],
  ] as const)('[upgrade-2.1] %s with %s: %s', (phase, letters, step) => {
    expect(short(nextStep({ ...JOURNAL, phase }, facts(letters)))).toBe(step);
  });

  it.each(['begun', 'stopped', 'copied', 'switched'] as const)('[upgrade-2.2] what was cut off too often while %s is taken back', (phase) => {
    const seen = facts('HTFC');
    expect(nextStep({ ...JOURNAL, phase, attempts: MOST_ATTEMPTS }, seen).do).not.toBe('give-up');
    expect(nextStep({ ...JOURNAL, phase, attempts: MOST_ATTEMPTS + 1 }, seen).do).toBe('give-up');
  });

  /** A world in which every step does what it says, and the agent works or does not as given. */
  function walk(phase: Phase, start: Facts, attempts: number, works: { new: boolean; old: boolean }): { steps: string[]; runs: 'old' | 'new'; ended: boolean } {
    let journal: Journal = { ...JOURNAL, phase, attempts };
    let world = { ...start };
    let runs: 'old' | 'new' = phase === 'switched' || phase === 'proven' || phase === 'returning' || phase === 'stopped-again' ? 'new' : 'old';
    const steps: string[] = [];
    while (steps.length < 20) {
      const step = nextStep(journal, world);
      steps.push(short(step));
      if (step.do === 'finish') return { steps, runs, ended: true };
      if (step.do === 'hold') world = { ...world, held: true };
      if (step.do === 'note-stopped' || step.do === 'give-up') journal = { ...journal, phase: step.then };
      if (step.do === 'copy') [world, journal] = [{ ...world, copied: true }, { ...journal, phase: 'copied' }];
      if (step.do === 'switch') [runs, journal] = ['new', { ...journal, phase: 'switched' }];
      if (step.do === 'try') [world, journal] = [{ ...world, held: false }, { ...journal, phase: works.new ? 'proven' : 'returning' }];
      if (step.do === 'switch-back') [runs, journal] = ['old', { ...journal, phase: 'back' }];
      if (step.do === 'try-back') [world, journal] = [{ ...world, held: false }, { ...journal, phase: works.old || step.last ? 'returned' : 'unstartable' }];
      if (step.do === 'restore') journal = { ...journal, phase: 'restored' };
    }
    return { steps, runs, ended: false };
  }

  const starts = PHASES.flatMap((phase) => ALL_FACTS.flatMap((seen) => [1, MOST_ATTEMPTS + 1].map((attempts) => ({ phase, seen, attempts }))));
  it(`[upgrade-2.3] every state and everything that can be seen in it (${starts.length} cases, four outcomes each) comes to an end with a whole version`, () => {
    for (const { phase, seen, attempts } of starts) {
      for (const works of BOOLEANS.flatMap((now) => BOOLEANS.map((before) => ({ new: now, old: before })))) {
        const name = JSON.stringify({ phase, seen, attempts, works });
        const { steps, runs, ended } = walk(phase, seen, attempts, works);
        expect(ended, name).toBe(true);
        // One that is not whole is left, unless there is nothing whole to go to, or it has shown that it works.
        if (runs === 'new' && !seen.toWhole) expect(!seen.fromWhole || phase === 'proven', name).toBe(true);
        if (steps.includes('switch-back')) expect(seen.fromWhole, name).toBe(true);
        // The data are never put back while the version from before can start with them as they are.
        if (works.old && phase !== 'unstartable' && phase !== 'restored') expect(steps, name).not.toContain('restore');
        // Nothing is copied or put anywhere while the agent may be running.
        let held = seen.held;
        for (const step of steps) {
          if (['copy', 'switch', 'switch-back', 'restore'].includes(step.split(' ')[0] ?? '')) expect(held, name).toBe(true);
          if (step === 'hold') held = true;
          if (step.startsWith('try')) held = false;
        }
      }
    }
  });
});
