import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import type { Block } from './blocks.js';

/** What a fragment may lack: names and files that stand around it, and the types that would follow from them. */
const AROUND_IT = new Set([2304, 2307, 2552, 18004, 7006, 7031]);

/**
 * Type-checks the `ts` blocks of pages, each as a module of its own beside its page, in one program. A block is a whole program, or, as
 * `ts fragment`, one whose surroundings are left out.
 * @returns what is wrong, a line each, with the line of the page
 */
export function checkSnippets(root: string, blocks: readonly Block[]): string[] {
  const parsed = ts.readConfigFile(join(root, 'tsconfig.base.json'), (path) => readFileSync(path, 'utf8'));
  const { options } = ts.parseJsonConfigFileContent({ compilerOptions: (parsed.config as { compilerOptions: object }).compilerOptions, files: [] }, ts.sys, root);
  const snippets = new Map(blocks.filter(({ language }) => language === 'ts').map((block) => [join(root, dirname(block.file), `page-${block.line}.ts`), block]));
  const text = (block: Block): string => `${block.text}\nexport {};\n`;
  const compilerOptions = { ...options, noEmit: true, skipLibCheck: true, declaration: false, typeRoots: [join(root, 'node_modules/@types')] };
  const host = ts.createCompilerHost(compilerOptions);
  const { readFile, fileExists, getSourceFile } = host;
  host.readFile = (path) => (snippets.has(path) ? text(snippets.get(path) as Block) : readFile(path));
  host.fileExists = (path) => snippets.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const block = snippets.get(path);
    return block === undefined ? getSourceFile(path, version, ...rest) : ts.createSourceFile(path, text(block), version);
  };
  const program = ts.createProgram([...snippets.keys()], compilerOptions, host);
  return [...snippets].flatMap(([path, block]) => {
    const source = program.getSourceFile(path);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found
      .filter(({ code }) => !(block.meta.includes('fragment') && AROUND_IT.has(code)))
      .map(({ start = 0, messageText }) => `${block.file}:${block.line + (source?.getLineAndCharacterOfPosition(start).line ?? 0)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
  });
}
