import { ConfigError, type ConfigProblem, type ConfigWarning } from './errors.js';
import { Secrets } from './secrets.js';

/** More lines than this help nobody, and the file may be garbage of any size. */
const MOST = 100;
const LONGEST = 200;

/** Collects what is wrong while a file is read, so that everything can be shown at once and nothing secret is. */
export class Report {
  readonly secrets = new Secrets();
  readonly #problems: ConfigProblem[] = [];
  readonly #warnings: ConfigWarning[] = [];
  #moreProblems = 0;
  #moreWarnings = 0;

  problem(problem: ConfigProblem): void {
    if (this.#problems.length < MOST) this.#problems.push(problem);
    else this.#moreProblems += 1;
  }

  warn(warning: ConfigWarning): void {
    if (this.#warnings.length < MOST) this.#warnings.push(warning);
    else this.#moreWarnings += 1;
  }

  /** True while another warning will be kept; spares the work of finding a good hint for one that is not. */
  get hasRoom(): boolean {
    return this.#warnings.length < MOST;
  }

  /** The warnings, free of secrets. Throws all problems as one error if there are any. */
  finish(): readonly ConfigWarning[] {
    const warnings = this.#warnings.map((w) => ({ ...w, path: this.#clean(w.path), message: this.#clean(w.message) }));
    if (this.#moreWarnings > 0) warnings.push({ kind: 'more', path: '', message: `${this.#moreWarnings} more warnings are not shown` });
    if (this.#problems.length === 0) return warnings;
    const problems = this.#problems.map((p) => ({
      ...p,
      path: this.#clean(p.path),
      ...(p.value === undefined ? {} : { value: this.#clean(p.value) }),
      expected: this.#clean(p.expected),
    }));
    if (this.#moreProblems > 0) problems.push({ kind: 'value', path: '', expected: `${this.#moreProblems} more problems are not shown` });
    throw new ConfigError('config.invalid', problems, { warnings });
  }

  /** Scrubs before it shortens: a secret cut in half would not be recognised. */
  #clean(text: string): string {
    // What stands in the file must not be able to steer a terminal.
    const clean = this.secrets.scrub(text).replace(/[\u0000-\u001f\u007f-\u009f]/g, '?');
    return clean.length > LONGEST ? `${clean.slice(0, LONGEST)}...` : clean;
  }
}
