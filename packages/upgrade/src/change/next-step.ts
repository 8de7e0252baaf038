import type { Journal } from './journal.js';

/** What the one who carries out a change sees before each step. */
export interface Facts {
  /** The agent is kept from running, by this process. */
  readonly held: boolean;
  /** The version that is to run is whole; for a change of the configuration: its new text is there. */
  readonly toWhole: boolean;
  /** The version from before is whole; for a change of the configuration: its old text is there. */
  readonly fromWhole: boolean;
  /** The copies of database and configuration are whole. */
  readonly copied: boolean;
}

/** One thing to do, and what the change has behind it afterwards. */
export type Step =
  /** Stop the agent and keep it from being started. The phase stays: it is done again by whoever takes the change up. */
  | { readonly do: 'hold' }
  | { readonly do: 'note-stopped'; readonly then: 'stopped' | 'stopped-again' }
  | { readonly do: 'copy' }
  | { readonly do: 'switch' }
  /** Let the agent run and watch it. */
  | { readonly do: 'try' }
  /** `then` returned: nothing was touched, so there is nothing to take back. */
  | { readonly do: 'give-up'; readonly reason: string; readonly then: 'returning' | 'returned' }
  | { readonly do: 'switch-back' }
  /** Let the agent run and see that it starts; whether it is Ready is no question, for there is nothing else to go to. */
  | { readonly do: 'try-back'; readonly last: boolean }
  | { readonly do: 'restore' }
  | { readonly do: 'finish'; readonly success: boolean };

/** A process that carries out a change may die that often before what is new is taken for the cause. */
export const MOST_ATTEMPTS = 3;

/**
 * The next step of a change: the whole of what a start after a loss of power does, too, for it looks at the same things. Every
 * step may be done twice. Forward as long as nothing fails; then back, where nothing is given up on that can be done.
 */
export function nextStep(journal: Journal, facts: Facts): Step {
  const { phase, attempts } = journal;
  switch (phase) {
    case 'begun':
    case 'stopped':
    case 'copied':
      if (!facts.toWhole) return giveUp(`what is new is not whole (${journal.to})`, phase === 'begun' && !facts.held);
      if (attempts > MOST_ATTEMPTS) return giveUp(`it was cut off ${MOST_ATTEMPTS} times before the switch`, phase === 'begun' && !facts.held);
      if (!facts.held) return { do: 'hold' };
      if (phase === 'begun') return { do: 'note-stopped', then: 'stopped' };
      return { do: phase === 'stopped' ? 'copy' : 'switch' };
    case 'switched':
      if (!facts.toWhole) return giveUp(`what is new is not whole any more (${journal.to})`);
      if (attempts > MOST_ATTEMPTS) return giveUp(`the watch over it was cut off ${MOST_ATTEMPTS} times`);
      return { do: 'try' };
    case 'proven':
      return { do: 'finish', success: true };
    case 'returning':
      // There is nothing to go back to: what runs goes on.
      if (!facts.fromWhole) return { do: 'finish', success: false };
      if (!facts.held) return { do: 'hold' };
      return { do: 'note-stopped', then: 'stopped-again' };
    case 'stopped-again':
      if (!facts.fromWhole) return { do: 'finish', success: false };
      return facts.held ? { do: 'switch-back' } : { do: 'hold' };
    case 'back':
      return { do: 'try-back', last: false };
    case 'unstartable':
      if (!facts.copied) return { do: 'finish', success: false };
      return facts.held ? { do: 'restore' } : { do: 'hold' };
    case 'restored':
      return { do: 'try-back', last: true };
    case 'returned':
      return { do: 'finish', success: false };
  }
}

function giveUp(reason: string, untouched = false): Step {
  return { do: 'give-up', reason, then: untouched ? 'returned' : 'returning' };
}
