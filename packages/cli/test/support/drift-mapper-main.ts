import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startMapper } from '@edge/mapper';
import { PROTOCOL, TARGET, valueAt, type WorldSettings } from '../devices/world.js';

// A mapper as a process of its own: its devices are functions of the time, and what is written to them is kept in files.
const { edgeCoreSocket, socketPath, folder, tickMs } = JSON.parse(process.argv[2] ?? '{}') as WorldSettings;
const frozen = join(folder, 'frozen');
const written = (device: string): number => (existsSync(join(folder, device)) ? Number(readFileSync(join(folder, device), 'utf8')) : 0);
const now = (): number => (existsSync(frozen) ? Number(readFileSync(frozen, 'utf8')) : Date.now());

await using _mapper = await startMapper(
  {
    init: () => undefined,
    read: (property, device) => (property.name === TARGET ? written(device.name) : valueAt(device.name, property.name, now(), tickMs)),
    write: (_property, value, device) => {
      const path = join(folder, device.name);
      writeFileSync(`${path}.new`, String(value));
      renameSync(`${path}.new`, path);
    },
  },
  { name: 'drift-mapper', protocol: PROTOCOL, edgeCoreSocket, socketPath, report: 'change', http: false },
);
await new Promise((resolve) => process.once('SIGTERM', resolve));
