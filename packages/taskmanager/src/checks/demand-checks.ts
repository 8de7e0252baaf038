import { taskError, TaskErrors } from '../errors.js';
import { checkItem, type LoadMeter } from './check-items.js';

/** One item after the other, as the job lists them. @throws EdgeError `taskmanager.check` with the first problem */
export async function demandChecks(items: readonly string[], meter: LoadMeter, signal: AbortSignal): Promise<void> {
  for (const item of items) {
    const problem = await checkItem(item, meter, 'root', signal);
    if (problem !== undefined) throw taskError(TaskErrors.check, problem);
  }
}
