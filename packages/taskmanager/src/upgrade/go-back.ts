/** What is to be done for RollBack. */
export type GoBack = { readonly kind: 'nothing' } | { readonly kind: 'roll-back'; readonly version: string };

/**
 * A failed change usually has gone back by itself, or was never begun.
 * @param from version that ran before the change; empty when none was handed over
 */
export function planGoBack(from: string, running: string): GoBack {
  return from === '' || from === running ? { kind: 'nothing' } : { kind: 'roll-back', version: from };
}
