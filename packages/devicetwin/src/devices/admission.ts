/** Lets so many jobs run at a time and the others wait in line. A job starts inside the call when there is a place. */
export class Admission {
  readonly #places: number;
  readonly #line: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];
  #running = 0;

  constructor(places: number) {
    this.#places = places;
  }

  /** Starts a job that never rejects. Returns nothing when it started at once, else a promise that resolves when it has. */
  admit(job: () => Promise<void>): void | Promise<void> {
    if (this.#running < this.#places && this.#line.length === 0) return this.#start(job);
    return new Promise((resolve) =>
      this.#line.push(() => {
        this.#start(job);
        resolve();
      }),
    );
  }

  /** The job's outcome; it waits in the same line. */
  run<T>(job: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => void this.admit(() => job().then(resolve, reject)));
  }

  /** Resolves when no job runs and none waits. */
  idle(): Promise<void> {
    if (this.#running === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #start(job: () => Promise<void>): void {
    this.#running += 1;
    void job().then(() => {
      this.#running -= 1;
      this.#line.shift()?.();
      if (this.#running === 0) for (const wake of this.#idle.splice(0)) wake();
    });
  }
}
