import 'reflect-metadata';
import { main } from '../src/index.js';

// The program without a node: what it is, what it is made of, and what it says to a word that it does not know.
const terminal = {
  env: process.env,
  out: (text: string): void => void process.stdout.write(text),
  err: (text: string): void => void process.stdout.write(text),
};
for (const args of [['--version'], ['modules'], ['moduls']]) {
  process.stdout.write(`$ edgecore ${args.join(' ')}\n`);
  process.stdout.write(`ends with code ${await main(args, terminal)}\n`);
}
