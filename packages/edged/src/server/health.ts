import { steadyNow } from '../steady-clock.js';
import { text } from './answer.js';
import type { Handler } from './router.js';

/** Without a listing for this long the work on pods does not go on; upstream's limit. */
const STUCK_MS = 300_000;

/** A part that can be ill: says in words what is wrong, undefined for nothing. */
export interface HealthCheck {
  readonly name: string;
  readonly problem: () => string | undefined;
}

/** `/healthz` and `/healthz/NAME`: `ok`, or 500 with what fails. `?verbose` names each check. */
export function healthz(checks: readonly HealthCheck[]): Handler {
  return ({ params, query }) => {
    const only = params['check'];
    const asked = only === undefined ? checks : checks.filter(({ name }) => name === only);
    if (asked.length === 0) return text('404 page not found\n', 404);
    const results = asked.map(({ name, problem }) => ({ name, problem: problem() }));
    const ill = results.some(({ problem }) => problem !== undefined);
    if (!ill && !query.has('verbose')) return text('ok');
    const lines = results.map(({ name, problem }) => (problem === undefined ? `[+]${name} ok\n` : `[-]${name} failed: ${problem}\n`));
    return text(`${lines.join('')}healthz check ${ill ? 'failed' : 'passed'}\n`, ill ? 500 : 200);
  };
}

/** @param listedAt when the runtime was listed last, by `steadyNow`; undefined for never */
export function listingProblem(listedAt: number | undefined): string | undefined {
  if (listedAt === undefined) return 'the container runtime has not been reached yet';
  const age = steadyNow() - listedAt;
  return age > STUCK_MS ? `the container runtime was last listed ${Math.round(age / 1000)} s ago` : undefined;
}
