/**
 * The program of `carrier.worker.ts` as text. The build puts it here (`tools/worker-code.mjs`): one text runs in a package, in
 * the agent's single file and in programs of tests alike, and no path has to be found. Empty where sources run unbuilt.
 */
export const code: string = '';
