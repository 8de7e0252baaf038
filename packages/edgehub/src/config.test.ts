import { expect, it } from 'vitest';
import { parseEdgeHubConfig } from './config.js';

it('[edgehub-7.1] has upstream\'s defaults', () => {
  expect(parseEdgeHubConfig(undefined, {})).toEqual({
    enable: true,
    heartbeat: 15,
    messageQPS: 30,
    messageBurst: 60,
    projectID: 'e632aba927ea4ac2b575ec1603d56f10',
    tlsCaFile: '/etc/kubeedge/ca/rootCA.crt',
    tlsCertFile: '/etc/kubeedge/certs/server.crt',
    tlsPrivateKeyFile: '/etc/kubeedge/certs/server.key',
    token: '',
    httpServer: 'https://127.0.0.1:10002',
    rotateCertificates: true,
    websocket: { server: '127.0.0.1:10000', handshakeTimeout: 30, writeDeadline: 15 },
    outbox: { maxBytes: 67_108_864, maxAgeSeconds: 604_800 },
  });
});

it('[edgehub-7.2] names the wrong member, its value and what would be right, but never the token', () => {
  expect(() => parseEdgeHubConfig({ messageQPS: -1 }, {})).toThrow('modules.edgeHub.messageQPS is -1, it must be a number, 0 or more');
  expect(() => parseEdgeHubConfig({ websocket: 'x' }, {})).toThrow('modules.edgeHub.websocket is "x", it must be a section with keys');
  expect(() => parseEdgeHubConfig({}, { edge: { outbox: { maxBytes: '1' } } })).toThrow('edge.outbox.maxBytes');
  expect(() => parseEdgeHubConfig({ token: ['secret'] }, {})).toThrow(/^(?!.*secret).*$/);
});

it('[edgehub-7.3] refuses QUIC and says what to set instead', () => {
  expect(() => parseEdgeHubConfig({ quic: { enable: true } }, {})).toThrow(/WebSocket only, set websocket\.enable to true/);
  expect(parseEdgeHubConfig({ enable: false, quic: { enable: true } }, {}).enable).toBe(false);
});
