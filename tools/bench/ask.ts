import { fork, spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A program in a process of its own that answers questions one after the other. Dispose to end it. */
export interface Helper extends AsyncDisposable {
  ask<T>(question: object): Promise<T>;
}

/** Starts `<name>.program.ts`, which lies compiled beside the benchmark; in a network namespace when one is given. */
export function startHelper(name: string, network?: string): Helper {
  const execArgv = process.execArgv.filter((flag) => flag.startsWith('--cpu-prof'));
  const child: ChildProcess =
    network === undefined
      ? fork(programPath(name), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv })
      : spawn('ip', ['netns', 'exec', network, process.execPath, ...execArgv, programPath(name)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    ask: <T>(question: object) =>
      new Promise<T>((resolve, reject) => {
        const onExit = (code: number | null): void => reject(new Error(`${name} ended with ${code ?? 'a signal'} before it answered`));
        child.once('exit', onExit);
        child.once('message', (answer) => {
          child.off('exit', onExit);
          resolve(answer as T);
        });
        child.send(question);
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
      await gone;
      clearTimeout(timer);
    },
  };
}

export function programPath(name: string): string {
  return fileURLToPath(new URL(`./${name}.program.mjs`, import.meta.url));
}

/** The other side: answers each question with what `answer` resolves with. */
export function answerQuestions<Q>(answer: (question: Q) => Promise<unknown>): void {
  // A profile is written by a process that ends by itself.
  process.once('SIGTERM', () => process.exit(0));
  process.on('message', (question: Q) => void answer(question).then((value) => process.send?.(value ?? 'done')));
}
