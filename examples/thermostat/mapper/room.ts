/** A room whose temperature moves towards the target by so many degrees a second, from the time on when there is one. */
export class Room {
  readonly #degreesPerSecond: number;
  readonly #now: () => number;
  #temperature: number;
  #target: number | undefined;
  #at: number;

  constructor(temperature: number, degreesPerSecond: number, now: () => number = () => performance.now()) {
    this.#temperature = temperature;
    this.#degreesPerSecond = degreesPerSecond;
    this.#now = now;
    this.#at = now();
  }

  /** Degrees Celsius, to a tenth. */
  get temperature(): number {
    this.#follow();
    return Math.round(this.#temperature * 10) / 10;
  }

  get heating(): boolean {
    this.#follow();
    return this.#target !== undefined && this.#target > this.#temperature;
  }

  set target(target: number) {
    this.#follow();
    this.#target = target;
  }

  #follow(): void {
    const now = this.#now();
    const step = ((now - this.#at) / 1000) * this.#degreesPerSecond;
    this.#at = now;
    if (this.#target === undefined) return;
    const way = this.#target - this.#temperature;
    this.#temperature += Math.sign(way) * Math.min(step, Math.abs(way));
  }
}
