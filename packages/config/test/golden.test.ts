import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { configReference, defaultConfig, loadConfig, minConfig, printDefaultConfig, printMinConfig } from '../src/index.js';
import { schema } from '../src/schema/schema.js';
import { rows } from '../src/schema/rows.js';

/** The machine the golden files were printed on. */
const host = { hostname: 'vm', localIP: '192.0.2.2' };
const golden = (name: string): string => readFileSync(new URL(`fixtures/${name}.yaml`, import.meta.url), 'utf8');

describe('what upstream v1.23.1 prints', () => {
  it.each([
    ['defaultconfig', printDefaultConfig],
    ['minconfig', printMinConfig],
  ])('[config-2.1] --%s is equal to it as data', (name, print) => {
    expect(parse(print(host))).toEqual(parse(golden(name)));
  });

  it.each([
    ['defaultconfig', printDefaultConfig],
    ['minconfig', printMinConfig],
  ])('[config-2.2] --%s is equal to it byte for byte after three comment lines and a blank one', (name, print) => {
    const lines = print(host).split('\n');
    expect(lines.slice(0, 3).every((line) => line.startsWith('# '))).toBe(true);
    expect(lines[3]).toBe('');
    expect(lines.slice(4).join('\n')).toBe(golden(name));
  });

  it('[config-2.3] reading the printed defaults gives the defaults and no warning', () => {
    const loaded = loadConfig(golden('defaultconfig'), host);
    expect(loaded.warnings).toEqual([]);
    expect(loaded.config).toEqual(defaultConfig(host));
  });

  it('[config-2.4] the minimal file switches off edgeHub, eventBus and deviceTwin and leaves all else at its default', () => {
    const { config, warnings } = loadConfig(golden('minconfig'), host);
    const defaults = defaultConfig(host);
    const { modules } = defaults;
    expect(warnings).toEqual([]);
    expect(config).toEqual({
      ...defaults,
      modules: {
        ...modules,
        edgeHub: { ...modules.edgeHub, enable: false },
        eventBus: { ...modules.eventBus, enable: false },
        deviceTwin: { ...modules.deviceTwin, enable: false },
      },
    });
    expect(minConfig(host)).toEqual(parse(golden('minconfig')));
  });

  it('[config-2.5] host name and address of the machine go into the defaults', () => {
    const config = defaultConfig({ hostname: 'Gate-7.Example', localIP: 'fd00::2' });
    expect(config.modules.edged.hostnameOverride).toBe('gate-7.example');
    expect(config.modules.edgeHub.httpServer).toBe('https://[fd00::2]:10002');
    expect(config.modules.edgeHub.websocket.server).toBe('[fd00::2]:10000');
    expect(defaultConfig({ hostname: 'my_host', localIP: '192.0.2.2' }).modules.edged.hostnameOverride).toBe('default-edge-node');
  });

  it('[config-2.6] our own section has defaults and is never printed', () => {
    expect(defaultConfig(host).edge).toEqual({
      runtime: 'cri',
      readyTimeoutSeconds: 30,
      outbox: { maxBytes: 67108864, maxAgeSeconds: 604800 },
      metaManager: { tokenKeyFile: '' },
      deviceTwin: { skipUnchanged: true, anyValue: false, dmi: { callsPerSecond: 5000, burst: 10000, nestedConfig: 'refuse' } },
      eventBus: {
        passwordFile: '',
        rulesFile: '',
        tls: { caFile: '', certFile: '', keyFile: '', requireClientCertificate: false },
        maxClients: 1000,
        maxPacketBytes: 10485760,
        maxWaitingMessages: 10000,
        keepAliveSeconds: 30,
      },
      serviceBus: { allow: [], callTimeoutSeconds: 10, redirects: 'follow', repeatWindowSeconds: 0, body: 'base64', openToNetwork: false, tokenFile: '', requestsPerSecond: 100, maxRequests: 256 },
      testManager: { port: 12345 },
      metaServer: { certificateDirectory: '/etc/kubeedge/pki/metaserver' },
      edgeMesh: {
        enable: false,
        address: '169.254.96.17',
        dns: { enable: true, port: 53, upstream: undefined, ttlSeconds: 5, cacheEntries: 4096 },
        proxy: { enable: true, intercept: 'auto', ownRange: '', strategy: 'RoundRobin', locality: 'spread', checkSeconds: 10, maxConnections: 10_000, idleSeconds: 7_200, lapseSeconds: 0 },
      },
      kubeletApi: { auth: 'open', tokenFile: '/etc/kubeedge/kubelet-api.token' },
      upgrade: { registry: '', readyTimeoutSeconds: 300, settleSeconds: 10 },
    });
    expect(printDefaultConfig(host)).not.toMatch(/^edge:/m);
    expect(printMinConfig(host)).not.toMatch(/^edge:/m);
  });

  it('[config-2.7] every default passes its own check, and every row says what it is for', () => {
    expect(() => loadConfig('', host)).not.toThrow();
    for (const { path, field } of rows(schema)) expect(field.doc, path).toMatch(/\.$/);
  });

  it('[config-2.8] the reference page is current', async () => {
    await expect(configReference()).toMatchFileSnapshot('../REFERENCE.md');
  });

  it('[config-2.9] a loaded configuration cannot be changed', () => {
    const { config } = loadConfig('', host);
    expect(() => Object.assign(config.modules.edgeHub, { heartbeat: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.modules.edged.tailoredKubeletConfig.evictionHard ?? {}, { x: '1' })).toThrow(TypeError);
  });
});
