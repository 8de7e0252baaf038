import { spawn } from 'node:child_process';

/** Runs a program of the system with these arguments and input, and gives what it prints. Rejects with what it says when it fails. */
export type SystemCommand = (args: readonly string[], input?: string) => Promise<string>;

const TIME_LIMIT_MS = 60_000;
/** Listings of very large tables are cut here. */
const MOST_OUTPUT = 32 * 1024 * 1024;

/** @param program such as `nft`, with arguments that come first */
export function systemCommand(program: string, ...first: readonly string[]): SystemCommand {
  return (args, input = '') =>
    new Promise((resolve, reject) => {
      const child = spawn(program, [...first, ...args], { stdio: ['pipe', 'pipe', 'pipe'], timeout: TIME_LIMIT_MS });
      const printed: Buffer[] = [];
      let size = 0;
      let complaint = '';
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size <= MOST_OUTPUT) printed.push(chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => void (complaint.length < 2_000 && (complaint += chunk.toString())));
      child.on('error', reject);
      // A program that ended early reads no input; its exit says so.
      child.stdin.on('error', () => undefined);
      child.on('close', (code, killed) => {
        if (code === 0) resolve(Buffer.concat(printed).toString());
        else reject(new Error(`${program} ${args.join(' ')}: ${complaint.trim() || `ended with ${code ?? killed}`}`));
      });
      child.stdin.end(input);
    });
}
