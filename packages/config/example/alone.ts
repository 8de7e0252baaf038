import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printLine, stayIfAsked } from '@edge/testing';
import { ConfigError, loadConfig, printMinConfig, problemText, warningText, writeBack } from '../src/index.js';

// The smallest file, one with mistakes in it, and a value that is written back without touching the rest.
const host = { hostname: 'edge-1', localIP: '192.0.2.10' };
const text = printMinConfig(host);
printLine(`the smallest file has ${text.split('\n').length} lines`);

const { config, warnings } = loadConfig(text.replace('heartbeat: 15', 'heartbeat: 20').concat('unknown: 1\n'), host);
printLine(`heartbeat ${config.modules.edgeHub.heartbeat}, node ${config.modules.edged.hostnameOverride}`);
for (const warning of warnings) printLine(`warning: ${warningText(warning)}`);

try {
  loadConfig('apiVersion: edgecore.config.kubeedge.io/v1alpha2\nkind: EdgeCore\nmodules:\n  edgeHub:\n    heartbeat: often\n    enabel: true\n', host);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  for (const problem of error.problems) printLine(`problem: ${problemText(problem)}`);
}

const folder = await mkdtemp(join(tmpdir(), 'config-alone-'));
const path = join(folder, 'edgecore.yaml');
await writeFile(path, `# mine\n${text}`);
await writeBack(path, [{ path: 'modules.edgeHub.heartbeat', value: 30 }]);
const [first, ...rest] = (await readFile(path, 'utf8')).split('\n');
printLine(`written back: ${String(first)} … ${String(rest.find((line) => line.includes('heartbeat'))).trim()}`);
await stayIfAsked();
await rm(folder, { recursive: true });
