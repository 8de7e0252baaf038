import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { printLine, stayIfAsked } from '@edge/testing';
import { layInstallation, layoutOf, systemdUnit, Versions, versionFolder } from '../src/index.js';
import { MAIN_FILE, WHOLE_FILE } from '../src/layout/layout.js';

// An installation in a temporary folder with two versions of a program of one line: the launcher starts the one in use, also after it was damaged.
const root = await mkdtemp(join(tmpdir(), 'upgrade-alone-'));
const layout = layoutOf(root);
const versions = new Versions({ layout });
for (const version of ['1.0.0', '1.1.0']) {
  const main = join(versionFolder(layout, version), MAIN_FILE);
  await mkdir(dirname(main), { recursive: true });
  await writeFile(main, `console.log('this is version ${version}');\n`);
  await writeFile(join(versionFolder(layout, version), WHOLE_FILE), JSON.stringify({ version, integrity: '' }));
}
const program = join(root, 'bin', 'edgecore');
const start = async (): Promise<string> => (await promisify(execFile)(program, ['--version'])).stdout.trim();

await layInstallation({ root, programPath: program, node: process.execPath, version: '1.0.0', configPath: join(root, 'edgecore.yaml'), stateFolder: join(root, 'state'), service: 'none' });
printLine(`versions: ${(await versions.list()).join(', ')}; in use: ${String(await versions.current())}`);
printLine(`edgecore --version: ${await start()}`);
await versions.switchTo('1.1.0');
printLine(`switched to 1.1.0, edgecore --version: ${await start()}`);
await rm(join(versionFolder(layout, '1.1.0'), WHOLE_FILE));
printLine(`1.1.0 is damaged, edgecore --version: ${await start()}`);
const refused = await versions.switchTo('2.0.0').catch((error: Error) => error.message);
printLine(`switch to 2.0.0: ${String(refused).replace(root, '…')}`);
const unit = systemdUnit({ program: '/usr/local/bin/edgecore', args: ['--config', '/etc/kubeedge/config/edgecore.yaml'], environment: {}, stopSeconds: 60 });
printLine(`its unit for systemd: ${String(/^ExecStart=.*$/m.exec(unit)?.[0])}`);
await stayIfAsked();
await rm(root, { recursive: true });
