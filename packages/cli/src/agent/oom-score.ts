import { writeFile } from 'node:fs/promises';
import { errorText, type Logger } from '@edge/core';

/** How the kernel ranks processes when memory runs out, for this process and those that it starts. */
const OWN_SCORE = '/proc/self/oom_score_adj';

/**
 * Lets the kernel end others before the agent when memory runs out. Not where pods are processes of the agent: they
 * would inherit it.
 * @param score -1000 (never) to 1000 (first); undefined leaves it as it is
 */
export async function protectFromOutOfMemory(score: number | undefined, runtime: string, log: Logger, file: string = OWN_SCORE): Promise<void> {
  if (score === undefined || runtime !== 'cri') return;
  try {
    await writeFile(file, String(score));
  } catch (error) {
    // The right is missing in many virtual machines and containers; everything else works without it.
    log.verbose(1, 'the agent may be ended like any other process when memory runs out', { oomScoreAdj: score, err: errorText(error) });
  }
}
