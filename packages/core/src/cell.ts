import { abortError } from './errors.js';

/** State that many read at any time. */
export interface Cell<T> {
  readonly value: T;
  /** Calls back on each change, not for the present value. */
  subscribe(listener: (value: T, previous: T) => void): Disposable;
  /** Resolves with the first value, the present one included, that fits. Rejects when aborted. */
  until(fits: (value: T) => boolean, signal: AbortSignal): Promise<T>;
}

/** A cell with its one writer. */
export interface WritableCell<T> extends Cell<T> {
  set(value: T): void;
}

/** Makes a cell. Setting the very same value again is no change. */
export function createCell<T>(initial: T): WritableCell<T> {
  let current = initial;
  const listeners = new Set<(value: T, previous: T) => void>();
  const cell: WritableCell<T> = {
    get value(): T {
      return current;
    },
    set(value: T): void {
      if (Object.is(value, current)) return;
      const previous = current;
      current = value;
      for (const listener of [...listeners]) listener(value, previous);
    },
    subscribe(listener): Disposable {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    until(fits, signal): Promise<T> {
      if (signal.aborted) return Promise.reject(abortError(signal));
      if (fits(current)) return Promise.resolve(current);
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          subscription[Symbol.dispose]();
          reject(abortError(signal));
        };
        const subscription = cell.subscribe((value) => {
          if (!fits(value)) return;
          subscription[Symbol.dispose]();
          signal.removeEventListener('abort', onAbort);
          resolve(value);
        });
        signal.addEventListener('abort', onAbort, { once: true });
      });
    },
  };
  return cell;
}
