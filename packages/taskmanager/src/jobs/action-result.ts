import type { NodeInstallation } from '../installation.js';
import type { HandedResult } from '../upgrade/handed-outcome.js';

/** What an action came to. */
export interface ActionResult {
  readonly succeeded: boolean;
  readonly reason?: string;
  readonly extend?: string;
  /** The flow goes on when somebody at the node confirms it. */
  readonly waits?: boolean;
  /** Once it is told and noted. */
  readonly afterwards?: () => Promise<void>;
}

export const SUCCESS: ActionResult = { succeeded: true };

/** The result of what was handed over, in the words of a job. Its report goes when the job knows of it. */
export function handedResult({ succeeded, reason, from, to, keepReport }: HandedResult, installation: NodeInstallation): ActionResult {
  return { succeeded, reason, extend: `${from},${to}`, ...(keepReport ? {} : { afterwards: () => installation.dropReport() }) };
}
