import { expect, it } from 'vitest';
import { agentConfig } from './agent-config.js';
import { keptChoices } from './kept-choices.js';

it('[cli-5.1] a kept configuration says which node, which runtime and which MQTT it is for', () => {
  const parts = { data: '/data', node: 'edge-7', runtime: 'process', hubAddress: '127.0.0.1:1', httpsUrl: 'https://127.0.0.1:2', kubeletPort: 3, mqttPort: 4, tunnelAddress: '127.0.0.1:5', nodeApiPort: 6, serviceBusPort: 7, token: 't' } as const;
  expect(keptChoices(agentConfig(parts))).toEqual({ node: 'edge-7', runtime: 'process', mqttMode: '0', edgeStream: 'true', nodeApi: 'true', serviceBus: 'true', taskManager: 'true' });
});

it.each([
  ['modules:\n  edged:\n    # hostnameOverride: not-this-one\n    hostnameOverride: "42" # the node\n', { node: '42', runtime: undefined, mqttMode: undefined, edgeStream: undefined, nodeApi: undefined, serviceBus: undefined, taskManager: undefined }],
  ['modules:\n  metaManager: { metaServer: { enable: false } }\nedge:\n  runtime: cri\n', { node: undefined, runtime: 'cri', mqttMode: undefined, edgeStream: undefined, nodeApi: 'false', serviceBus: undefined, taskManager: undefined }],
  ['modules: []\n', { node: undefined, runtime: undefined, mqttMode: undefined, edgeStream: undefined, nodeApi: undefined, serviceBus: undefined, taskManager: undefined }],
  ['', { node: undefined, runtime: undefined, mqttMode: undefined, edgeStream: undefined, nodeApi: undefined, serviceBus: undefined, taskManager: undefined }],
])('[cli-5.2] reads %j as a person would', (text, choices) => {
  expect(keptChoices(text)).toEqual(choices);
});
