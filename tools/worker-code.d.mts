import type { Plugin } from 'esbuild';

/** Programs of threads as text: for esbuild and tsup. */
export function workerCode(): Plugin;
