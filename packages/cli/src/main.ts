#!/usr/bin/env node
import 'reflect-metadata';
import { main } from './program.js';

const code = await main(process.argv.slice(2), {
  env: process.env,
  ...(process.stdout.columns ? { columns: process.stdout.columns } : {}),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ask: async (question) => (await import('./ask.js')).ask(question),
});
// What a module left behind (it was logged) must not keep a stopped agent alive.
process.exit(code);
