import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandLine } from '../src/program/command-line.js';
import { parseConfig, readConfigFile } from '../src/program/config-file.js';
import { settle } from '../src/options.js';

const CONFIG = `grpc_server:
  socket_path: /etc/kubeedge/modbus.sock
common:
  name: Modbus-mapper
  version: v1.13.0
  api_version: v1.0.0
  protocol: modbus
  address: 127.0.0.1
  edgecore_sock: /etc/kubeedge/dmi.sock
  http_port: "7777"
`;
const BY_CODE = { name: 'coded', protocol: 'p' };

describe('settings', () => {
  it('[mapper-8.1] reads the configuration file of mapper-framework', () => {
    expect(parseConfig(CONFIG, 'config.yaml')).toEqual({ socketPath: '/etc/kubeedge/modbus.sock', name: 'Modbus-mapper', version: 'v1.13.0', apiVersion: 'v1.0.0', protocol: 'modbus', edgeCoreSocket: '/etc/kubeedge/dmi.sock', http: { port: 7777 } });
    expect(parseConfig('common: {name: a}\ngrpc_server:\n', 'config.yaml')).toEqual({ name: 'a' });
  });

  it.each([
    ['[', 'config.yaml is no YAML'],
    ['5', 'config.yaml holds no keys'],
    ['common: text', 'common is "text", expected the keys name, version'],
    ['common: {name: [1]}', 'common.name is [1], expected a text'],
  ])('[mapper-8.2] a file that cannot be used is named with what is wrong (%s)', (text, message) => {
    expect(() => parseConfig(text, 'config.yaml')).toThrow(expect.objectContaining({ code: 'mapper.bad-options', message: expect.stringContaining(message) as string }));
  });

  it('[mapper-8.3] flags come before the environment, the environment before the file, the file before the code', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mapper-'));
    try {
      const file = join(folder, 'config.yaml');
      writeFileSync(file, CONFIG);
      const options = (argv: string[], env = {}): unknown => commandLine(argv, env, BY_CODE);
      expect(options([])).toMatchObject({ options: BY_CODE });
      expect(options([`--config-file=${file}`])).toMatchObject({ options: { name: 'Modbus-mapper', edgeCoreSocket: '/etc/kubeedge/dmi.sock' } });
      expect(options([`--config-file=${file}`], { EDGECORE_SOCK: '/env.sock' })).toMatchObject({ options: { edgeCoreSocket: '/env.sock' } });
      expect(options(['--config-file', file, '--edgecore-sock', '/flag.sock', '--socket', '/own.sock', '--http-port', '0'], { EDGECORE_SOCK: '/env.sock' })).toMatchObject({ options: { edgeCoreSocket: '/flag.sock', socketPath: '/own.sock', http: false } });
      expect(options(['--http-port=8080'])).toMatchObject({ options: { http: { port: 8080 } } });
      expect(() => readConfigFile(join(folder, 'none.yaml'))).toThrow(/none\.yaml cannot be read/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('[mapper-8.6] a port from outside leaves the other settings of the HTTP server as the code has them; 0 is none, in the file as by the flag', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mapper-'));
    try {
      const file = join(folder, 'config.yaml');
      const http = (port: string, ...argv: string[]): unknown => {
        writeFileSync(file, `common: {http_port: ${port}}`);
        const line = commandLine(['--config-file', file, ...argv], {}, { ...BY_CODE, http: { port: 1, host: '::1', writeByGet: true } });
        return 'options' in line ? line.options.http : undefined;
      };
      expect(http('8080')).toEqual({ port: 8080, host: '::1', writeByGet: true });
      expect(http('8080', '--http-port', '8081')).toEqual({ port: 8081, host: '::1', writeByGet: true });
      expect(http('0')).toBe(false);
      expect(http('"0"', '--http-port', '8081')).toEqual({ port: 8081, host: '::1', writeByGet: true });
      expect(http('8080', '--http-port', '0')).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('[mapper-8.4] an unknown flag is refused with the list of those that exist; --help prints it', () => {
    expect(() => commandLine(['--nonsense'], {}, BY_CODE)).toThrow(/nonsense[\s\S]*--edgecore-sock/);
    expect(commandLine(['--help'], {}, BY_CODE)).toEqual({ print: expect.stringContaining('--config-file') as string });
  });

  it('[mapper-8.5] the mapper\'s socket is beside EdgeCore\'s unless it is given', () => {
    expect(settle(BY_CODE)).toMatchObject({ edgeCoreSocket: '/etc/kubeedge/dmi.sock', socketPath: '/etc/kubeedge/coded.sock', http: { host: '127.0.0.1', port: 7777, writeByGet: false } });
    expect(settle({ ...BY_CODE, edgeCoreSocket: 'data/dmi.sock', http: false })).toMatchObject({ socketPath: join(process.cwd(), 'data', 'coded.sock'), http: undefined });
  });
});
