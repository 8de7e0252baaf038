/** True with EDGE_TESTS=full in the environment: long tests do all they can. */
export const FULL_TESTS = process.env['EDGE_TESTS'] === 'full';

/** How often a long test repeats what it does: `full` when all is wanted, otherwise `usual`, which every run of the tests can afford. */
export function loops(full: number, usual: number): number {
  return FULL_TESTS ? full : usual;
}
