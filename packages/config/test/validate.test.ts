import { describe, expect, it } from 'vitest';
import { problemText } from '../src/index.js';
import { failure, load, problemsOf, under, warningsOf } from './help.js';

const KUBELET = 'modules.edged.tailoredKubeletConfig';
const only = (text: string): string => problemsOf(text).map(problemText).join(' | ');

describe('validation', () => {
  it('[config-4.1] all problems come at once, each with path, line, value and what would be right', () => {
    const text = under('modules', 'edgeHub:', '  heartbeat: soon', '  messageQPS: -1', 'eventBus:', '  mqttMode: 7', 'edged:', '  hostnameOverride: Bad_Name');
    const error = failure(text);
    expect(error.code).toBe('config.invalid');
    expect(error.problems.map(({ path, line, value }) => [path, line, value])).toEqual([
      ['modules.edgeHub.heartbeat', 3, '"soon"'],
      ['modules.edged.hostnameOverride', 8, '"Bad_Name"'],
      ['modules.edgeHub.messageQPS', 4, '-1'],
      ['modules.eventBus.mqttMode', 6, '7'],
    ]);
    expect(error.message).toContain('modules.eventBus.mqttMode (line 6): is 7, should be from 0 to 2 (0 internal, 1 both, 2 external)');
  });

  it.each([
    ['modules.edgeHub', 'heartbeat: 15.5', 'should be a whole number'],
    ['modules.edgeHub', 'heartbeat: "15"', 'without quotes'],
    ['modules.edgeHub', 'heartbeat: 4294967296', 'should be from -2147483648 to 2147483647 (int32)'],
    ['modules.edgeHub', 'heartbeat: [1]', 'is a list, should be a whole number'],
    ['modules.edgeHub', 'enable: 1', 'should be true or false'],
    ['modules.edgeHub', 'enable: "true"', 'should be true or false, without quotes'],
    ['modules.edgeHub', 'httpServer: {a: 1}', 'is a section, should be a text'],
    ['modules.edgeHub', 'websocket: 5', 'should be a section'],
    ['modules.edgeHub', 'websocket: {server: "1.2.3.4:100000"}', 'should have a port from 1 to 65535'],
    ['modules.eventBus', 'mqttQOS: 3', 'should be from 0 to 2'],
    ['modules.eventBus', 'mqttQOS: 256', 'uint8'],
    ['modules.serviceBus', 'enable: true\n    port: 0', 'should be from 1 to 65535'],
    [KUBELET, 'clusterDNS: 10.96.0.10', 'should be a list'],
    [KUBELET, 'clusterDNS: [[1]]', 'clusterDNS[0] (line 4): is a list, should be a text'],
    [KUBELET, 'evictionHard: [a]', 'is a list, should be a section'],
    [KUBELET, 'cgroupDriver: cgroup', 'should be cgroupfs or systemd'],
    [KUBELET, 'cgroupDriver: ""', 'should be cgroupfs or systemd'],
    [KUBELET, 'syncFrequency: 10', 'should be a duration with units'],
    [KUBELET, 'syncFrequency: -1s', 'should not be negative'],
    [KUBELET, 'readOnlyPort: 70000', 'should be from 0 to 65535'],
    [KUBELET, 'memoryThrottlingFactor: .nan', 'should be a number'],
    [KUBELET, 'containerLogMaxSize: much', 'should be a quantity'],
    [KUBELET, 'imageGCLowThresholdPercent: 90', 'should be less than imageGCHighThresholdPercent, which is 85'],
    [KUBELET, 'shutdownGracePeriodCriticalPods: 10s', 'should not be longer than shutdownGracePeriod'],
    [KUBELET, 'registerWithTaints: [{key: [x]}]', 'registerWithTaints[0].key (line 4): is a list, should be a text'],
    ['modules.edged', 'nodeIP: 300.1.1.1', 'should be an IP address'],
    ['edge', 'runtime: docker', 'should be cri or process or auto'],
    ['edge.outbox', 'maxBytes: 10', 'should be 1048576 or more'],
  ])('[config-4.2] %s, %s', (path, line, expected) => {
    expect(only(under(path, line))).toContain(expected);
  });

  it('[config-4.3] exactly one of websocket and quic is enabled', () => {
    expect(only(under('modules.edgeHub', 'quic: {enable: true}'))).toContain('only one of websocket and quic');
    expect(only(under('modules.edgeHub', 'websocket: {enable: false}'))).toContain('one of websocket and quic');
    expect(load(under('modules.edgeHub', 'quic: {enable: true}', 'websocket: {enable: false}')).modules.edgeHub.quic.enable).toBe(true);
  });

  it('[config-4.4] what is switched off is not validated, but its types are', () => {
    expect(() => load(under('modules.edgeHub', 'enable: false', 'messageQPS: -1', 'quic: {enable: true}'))).not.toThrow();
    expect(() => load(under('modules.edged', 'enable: false', 'hostnameOverride: Bad_Name'))).not.toThrow();
    expect(() => load(under('modules.metaManager.metaServer', 'server: "a:0"'))).not.toThrow();
    expect(only(under('modules.metaManager.metaServer', 'enable: true', 'server: "a:0"'))).toContain('port');
    expect(only(under('modules.edgeHub', 'enable: false', 'messageQPS: x'))).toContain('whole number');
  });

  it('[config-4.5] an unknown feature gate is an error, the known ones are not', () => {
    expect(only('featureGates: {moduleRestart: true, modulRestart: true}\n')).toContain('featureGates.modulRestart (line 1): is true, unrecognized feature gate: modulRestart');
    const gates = { requireAuthorization: true, moduleRestart: true, disableNodeTaskV1alpha2: false, AllAlpha: true, AllBeta: false };
    expect(load(`featureGates: ${JSON.stringify(gates)}\n`).featureGates).toEqual(gates);
    expect(only('featureGates: {moduleRestart: maybe}\n')).toContain('featureGates.moduleRestart (line 1): is "maybe", should be true or false');
  });

  it.each([
    ['kind: CloudCore\n', 'kind', "another program's file"],
    ['apiVersion: cloudcore.config.kubeedge.io/v1alpha1\n', 'apiVersion', "another program's file"],
    [under('modules.edgeHub', 'httpServer: 192.0.2.10:10002'), 'modules.edgeHub.httpServer', 'https://'],
    [under('modules.edgeHub.websocket', 'server: 192.0.2.10'), 'modules.edgeHub.websocket.server', 'host:port'],
    [under(KUBELET, 'hairpinMode: x'), `${KUBELET}.hairpinMode`, 'promiscuous-bridge'],
  ])('[config-4.6] what upstream lets pass only warns: %j', (text, path, words) => {
    expect(warningsOf(text)).toMatchObject([{ kind: 'value', path, message: expect.stringContaining(words) }]);
  });

  it.each([
    [under('modules.edgeHub', 'tokn: x'), 'modules.edgeHub.tokn', 3, 'did you mean token?'],
    [under('modules.edgehub', 'heartbeet: 3'), 'modules.edgeHub.heartbeet', 3, 'did you mean heartbeat?'],
    ['# a comment\nmodule:\n  edged: {}\n', 'module', 2, 'did you mean modules?'],
    ['edgeHub: {}\n', 'edgeHub', 1, 'did you mean modules.edgeHub?'],
    [under('modules.edged', 'maxPods: 10'), 'modules.edged.maxPods', 3, `did you mean ${KUBELET}.maxPods?`],
    [under('modules.edged', 'remoteRuntimeEndpoint: x'), 'modules.edged.remoteRuntimeEndpoint', 3, `is now ${KUBELET}.containerRuntimeEndpoint`],
    ['somethingElseEntirely: 1\n', 'somethingElseEntirely', 1, 'unknown and ignored'],
  ])('[config-4.7] an unknown key warns with its line and the nearest known name: %j', (text, path, line, words) => {
    expect(warningsOf(text)).toMatchObject([{ kind: 'unknown-key', path, line, message: expect.stringContaining(words) }]);
  });
});

describe('broken YAML', () => {
  it.each([
    ['modules:\n  edgeHub:\n\theartbeat: 3\n', 3],
    ['modules: [\n', 2],
    ['a: b: c\n', 1],
    ['a: "x\n', 2],
    ['modules:\n  edgeHub: *nowhere\n', 2],
    ['a: &x [*x]\n', 1],
    ['? [a]\n: b\n', 1],
    ['<<: 5\n', 1],
  ])('[config-5.1] %j is named with its line', (text, line) => {
    const [problem] = problemsOf(text);
    expect(problem).toMatchObject({ kind: 'syntax', path: '', line });
  });

  it.each(['just words', '- a\n- b\n', '42'])('[config-5.2] %j is no section at the top', (text) => {
    expect(problemsOf(text)).toMatchObject([{ kind: 'type', path: '' }]);
  });
});
