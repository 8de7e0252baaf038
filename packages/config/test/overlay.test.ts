import { describe, expect, it } from 'vitest';
import { load, problemsOf, under, warningsOf } from './help.js';

const KUBELET = 'modules.edged.tailoredKubeletConfig';

describe('laying a file over the defaults', () => {
  it('[config-3.1] sections merge', () => {
    const { edgeHub } = load(under('modules.edgeHub', 'websocket:', '  server: 198.51.100.7:10000')).modules;
    expect(edgeHub.websocket).toEqual({ enable: true, handshakeTimeout: 30, readDeadline: 15, writeDeadline: 15, server: '198.51.100.7:10000' });
    expect(edgeHub.heartbeat).toBe(15);
  });

  it('[config-3.2] maps merge key by key', () => {
    const { evictionHard } = load(under(`${KUBELET}.evictionHard`, 'memory.available: 50Mi', 'pid.available: 5%')).modules.edged.tailoredKubeletConfig;
    expect(evictionHard).toMatchObject({ 'memory.available': '50Mi', 'pid.available': '5%', 'nodefs.available': '10%' });
  });

  it('[config-3.3] lists replace', () => {
    expect(load(under(KUBELET, 'enforceNodeAllocatable: [none]')).modules.edged.tailoredKubeletConfig.enforceNodeAllocatable).toEqual(['none']);
  });

  it('[config-3.4] null clears pointers, lists and maps, and keeps the default of everything else', () => {
    const config = load(under(KUBELET, 'oomScoreAdj: null', 'evictionHard: ~', 'enforceNodeAllocatable:', 'maxPods: null', 'syncFrequency: null', 'memorySwap: null'));
    const kubelet = config.modules.edged.tailoredKubeletConfig;
    expect([kubelet.oomScoreAdj, kubelet.evictionHard, kubelet.enforceNodeAllocatable]).toEqual([undefined, undefined, undefined]);
    expect([kubelet.maxPods, kubelet.syncFrequency, kubelet.memorySwap]).toEqual([110, '1m0s', { swapBehavior: '' }]);
  });

  it.each(['modules', 'database', 'modules.edgeHub', 'modules.edged', 'modules.edgeHub.quic', KUBELET])('[config-3.5] null for the section %s is an error that says what to do', (path) => {
    const [problem, ...others] = problemsOf(`${under(path).trimEnd()} null\n`);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ kind: 'type', path, value: 'null', line: path.split('.').length });
    expect(problem?.expected).toContain('leave it out');
  });

  it('[config-3.6] keys are found in any spelling of their case', () => {
    expect(load('MODULES:\n  EdgeHub:\n    messageqps: 7\n').modules.edgeHub.messageQPS).toBe(7);
  });

  it('[config-3.7] of two spellings of a key the one that sorts later counts, sections merge, and a warning says so', () => {
    const text = 'modules:\n  eventBus:\n    mqttqos: 2\n    mqttQOS: 1\n  EventBus:\n    mqttRetain: true\n';
    expect(load(text).modules.eventBus).toMatchObject({ mqttQOS: 2, mqttRetain: true });
    expect(warningsOf(text).map(({ kind, path }) => [kind, path])).toEqual([
      ['duplicate-key', 'modules.eventBus'],
      ['duplicate-key', 'modules.eventBus.mqttQOS'],
    ]);
  });

  it('[config-3.8] of a key that is there twice the later one counts, with a warning', () => {
    const text = under('modules.edgeHub', 'heartbeat: 3', 'heartbeat: 4');
    expect(load(text).modules.edgeHub.heartbeat).toBe(4);
    expect(warningsOf(text)).toMatchObject([{ kind: 'duplicate-key', line: 4 }]);
  });

  it('[config-3.9] durations are Go texts, in their canonical form', () => {
    const kubelet = load(under(KUBELET, 'syncFrequency: 90s', 'cpuCFSQuotaPeriod: 0.05s', 'imageMaximumGCAge: 0')).modules.edged.tailoredKubeletConfig;
    expect([kubelet.syncFrequency, kubelet.cpuCFSQuotaPeriod, kubelet.imageMaximumGCAge]).toEqual(['1m30s', '50ms', '0s']);
  });

  it('[config-3.10] a number where a text is wanted is taken as it is written', () => {
    const config = load(`edgecoreVersion: 1.10\n${under('modules.edged', 'hostnameOverride: 0042', 'nodeLabels:', '  on: yes', '  7: 0x1F')}`);
    expect(config.edgecoreVersion).toBe('1.10');
    expect(config.modules.edged.hostnameOverride).toBe('0042');
    expect(config.modules.edged.nodeLabels).toEqual({ on: 'yes', 7: '0x1F' });
  });

  it('[config-3.11] switches may be written as YAML 1.1 has them', () => {
    expect(load(under('modules', 'edgeStream: {enable: yes}', 'dbTest: {enable: On}')).modules).toMatchObject({ edgeStream: { enable: true }, dbTest: { enable: true } });
  });

  it('[config-3.12] anchors, aliases and merge keys work', () => {
    const text = 'x: &t {handshakeTimeout: 9, server: "198.51.100.1:1"}\nmodules:\n  edgeHub:\n    websocket:\n      <<: *t\n      server: 198.51.100.2:2\n    quic: {<<: [*t]}\n';
    const { edgeHub } = load(text).modules;
    expect(edgeHub.websocket).toMatchObject({ handshakeTimeout: 9, server: '198.51.100.2:2', enable: true });
    expect(edgeHub.quic).toMatchObject({ handshakeTimeout: 9, server: '198.51.100.1:1', enable: false });
  });

  it('[config-3.13] an empty file, comments alone and a first document that is empty give the defaults', () => {
    for (const text of ['', '\n', '# nothing\n', '---\n', 'null\n', '\ufeff']) expect(load(text)).toEqual(load('{}'));
  });

  it('[config-3.14] only the first document counts, and a warning says so', () => {
    const text = 'edgecoreVersion: a\n---\nedgecoreVersion: b\n';
    expect(load(text).edgecoreVersion).toBe('a');
    expect(warningsOf(text)).toMatchObject([{ line: 2 }]);
  });

  it('[config-3.15] objects in lists are read by their own keys; unknown ones warn', () => {
    const text = under(KUBELET, 'registerWithTaints:', '- {key: a, Effect: NoSchedule, valeu: x}', 'reservedMemory:', '- numaNode: 0', '  limits: {memory: 1Gi}');
    const kubelet = load(text).modules.edged.tailoredKubeletConfig;
    expect(kubelet.registerWithTaints).toEqual([{ key: 'a', effect: 'NoSchedule' }]);
    expect(kubelet.reservedMemory).toEqual([{ numaNode: 0, limits: { memory: '1Gi' } }]);
    expect(warningsOf(text)).toMatchObject([{ path: `${KUBELET}.registerWithTaints[0].valeu`, line: 5, message: expect.stringContaining('did you mean value?') }]);
  });

  it('[config-3.16] YAML that upstream takes is taken: JSON, Windows line ends, tabs after a colon', () => {
    expect(load('{\n"modules": {\n"edgeHub": {"heartbeat": 9\n}}}\n').modules.edgeHub.heartbeat).toBe(9);
    expect(load('modules:\r\n  edgeHub:\r\n    heartbeat:\t8\r\n').modules.edgeHub.heartbeat).toBe(8);
  });

  it('[config-3.17] harmful names in maps stay plain data', () => {
    const { nodeLabels } = load(under('modules.edged.nodeLabels', '__proto__: x', 'constructor: y')).modules.edged;
    expect(Object.entries(nodeLabels ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
    expect(warningsOf('__proto__: 1\nconstructor: 2\n')).toHaveLength(2);
  });
});
