import { describe, expect, it } from 'vitest';
import { loadConfig, setFields } from '../src/index.js';

const HOST = { hostname: 'box', localIP: '192.0.2.9' };
const TEXT = `# kept
apiVersion: edgecore.config.kubeedge.io/v1alpha2
kind: EdgeCore
modules:
  edgeHub:
    heartbeat: 15 # seconds
  edged:
    hostnameOverride: edge-1
    nodeLabels: {a: "1"}
`;

describe('fields set by text', () => {
  it.each([
    ['modules.edgeHub.heartbeat', '20', 'heartbeat: 20 # seconds'],
    ['Modules.EdgeHub.Heartbeat', '20', 'heartbeat: 20 # seconds'],
    ['modules.edged.hostnameOverride', '123', 'hostnameOverride: "123"'],
    ['modules.edged.hostnameOverride', '"edge-2"', 'hostnameOverride: edge-2'],
    ['modules.edgeStream.enable', 'true', 'edgeStream:'],
    ['edge.upgrade.readyTimeoutSeconds', '90', 'readyTimeoutSeconds: 90'],
  ])('[config-12.1] %s=%s', (path, value, line) => {
    const text = setFields(TEXT, { [path]: value }, HOST);
    expect(text).toContain(line);
    expect(text).toContain('# kept');
  });

  it('[config-12.2] lists, maps, and what is inside of them', () => {
    const text = setFields(TEXT, { 'modules.edged.nodeLabels.zone': 'west', 'modules.metaManager.metaServer.apiAudiences': '{x,y}', 'modules.metaManager.metaServer.apiAudiences[1]': 'z=1', 'modules.metaManager.metaServer.apiAudiences[2]': 'w' }, HOST);
    const { modules } = loadConfig(text, HOST).config;
    expect(modules.edged.nodeLabels).toEqual({ a: '1', zone: 'west' });
    expect(modules.metaManager.metaServer.apiAudiences).toEqual(['x', 'z=1', 'w']);
    expect(loadConfig(setFields(TEXT, { 'modules.edged.nodeLabels': '{b:2, c:3}' }, HOST), HOST).config.modules.edged.nodeLabels).toEqual({ b: '2', c: '3' });
  });

  it.each([
    ['modules.edgeHub.hartbeat', '20', 'modules.edgeHub.hartbeat: there is no such field; did you mean modules.edgeHub.heartbeat?'],
    ['modules.edgeHub.heartbeat', 'soon', 'modules.edgeHub.heartbeat: is "soon", should be a number'],
    ['modules.edgeStream.enable', 'perhaps', 'modules.edgeStream.enable: is "perhaps", should be true or false'],
    ['modules.eventBus.mqttMode', '9', 'modules.eventBus.mqttMode'],
    ['modules.edgeHub.heartbeat.x', '1', 'there is no such field'],
    ['modules.metaManager.metaServer.apiAudiences', 'x', 'should be in braces, as {x,y}'],
    ['modules.metaManager.metaServer.apiAudiences[7]', 'x', 'it is a list of 0: write [0] to [0]'],
    ['__proto__.x', '1', 'there is no such field'],
    ['modules.edged.tailoredKubeletConfig.registerWithTaints[0].constructor', 'x', 'there is nothing below that field'],
    ['modules.edged.tailoredKubeletConfig.registerWithTaints[0].__proto__', 'x', 'there is nothing below that field'],
  ])('[config-12.3] %s=%s is refused: %s', (path, value, message) => {
    expect(() => setFields(TEXT, { [path]: value }, HOST)).toThrow(message);
  });
});
