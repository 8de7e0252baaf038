import { address, atLeast, between, port, url } from './checks.js';
import { bool, int32, int64, list, section, string, uint8 } from './build.js';
import { CA_FILE, CERT_FILE, KEY_FILE } from './edge-hub.js';

const seconds = atLeast(0, 'seconds');
const broker = url('tcp', 'ssl', 'tls', 'ws', 'wss', 'mqtt', 'mqtts');

export const eventBus = section('MQTT in and out.', {
  enable: bool(true, 'Run the module.', { minimal: { value: false } }),
  mqttQOS: uint8(0, 'Quality of service of published messages.', { minimal: true, check: between(0, 2) }),
  mqttRetain: bool(false, 'Publish with the retain flag.', { minimal: true }),
  mqttSessionQueueSize: int32(100, 'Messages held per session of the internal broker.', { check: atLeast(0) }),
  mqttServerInternal: string('tcp://127.0.0.1:1884', 'Where the internal broker listens.', { minimal: true, check: broker }),
  mqttServerExternal: string('tcp://127.0.0.1:1883', 'Where the external broker is.', { minimal: true, check: broker }),
  mqttSubClientID: string('', 'Client id of the subscribing connection; made up when empty.', { minimal: true }),
  mqttPubClientID: string('', 'Client id of the publishing connection; made up when empty.', { minimal: true }),
  mqttUsername: string('', 'User name at the broker.', { minimal: true }),
  mqttPassword: string('', 'Password at the broker.', { minimal: true, secret: true }),
  mqttMode: int64(2, '0 internal broker, 1 both, 2 external broker.', { minimal: true, check: between(0, 2, '0 internal, 1 both, 2 external') }),
  eventBusTLS: section('TLS towards the broker.', {
    enable: bool(false, 'Use it.'),
    tlsMqttCAFile: string(CA_FILE, 'Certificate of the authority, PEM.'),
    tlsMqttCertFile: string(CERT_FILE, 'Certificate, PEM.'),
    tlsMqttPrivateKeyFile: string(KEY_FILE, 'Private key, PEM.'),
  }),
});

export const metaManager = section('Desired state at rest.', {
  enable: bool(true, 'Run the module.'),
  contextSendGroup: string('hub', 'Group that messages to the cloud are given to.'),
  contextSendModule: string('websocket', 'Module that messages to the cloud are given to.'),
  remoteQueryTimeout: int32(60, 'Seconds to wait for an answer of the cloud.', { check: seconds }),
  metaServer: section('The local Kubernetes API.', {
    enable: bool(false, 'Run it.'),
    server: string('127.0.0.1:10550', 'host:port it listens on.', { check: address }),
    dummyServer: string('169.254.30.10:10550', 'host:port for pods, on an interface made for it.', { check: address }),
    tlsCaFile: string(CA_FILE, 'Certificate of the authority, PEM.'),
    tlsCertFile: string(CERT_FILE, 'Certificate, PEM.'),
    tlsPrivateKeyFile: string(KEY_FILE, 'Private key, PEM.'),
    serviceAccountIssuers: list(['https://kubernetes.default.svc.cluster.local'], 'Accepted issuers of service account tokens.'),
    apiAudiences: list(undefined, 'Accepted audiences of service account tokens.'),
    serviceAccountKeyFiles: list(undefined, 'Files with public keys that sign service account tokens.'),
  }),
});

export const serviceBus = section('HTTP between the cloud\'s rules and services on this node.', {
  enable: bool(false, 'Run the module.'),
  server: string('127.0.0.1', 'Address it listens on.'),
  port: int64(9060, 'Port it listens on.', { check: port }),
  timeout: int64(60, 'Seconds to wait for an answer.', { check: seconds }),
});

export const deviceTwin = section('Devices and their twins.', {
  enable: bool(true, 'Run the module.', { minimal: { value: false } }),
  dmiSockPath: string('/etc/kubeedge/', 'Directory of the mappers\' socket dmi.sock; of a value that ends in .sock its directory is taken.', { minimal: true }),
});

export const dbTest = section('Test module.', { enable: bool(false, 'Run the module.') });

export const edgeStream = section('Logs, exec, attach and metrics through a tunnel to the cloud.', {
  enable: bool(false, 'Run the module.'),
  tlsTunnelCAFile: string(CA_FILE, 'Certificate of the authority, PEM.'),
  tlsTunnelCertFile: string(CERT_FILE, 'Certificate of this node, PEM.'),
  tlsTunnelPrivateKeyFile: string(KEY_FILE, 'Private key of this node, PEM.'),
  handshakeTimeout: int32(30, 'Seconds to establish the tunnel.', { check: seconds }),
  readDeadline: int32(15, 'Seconds to wait for a message.', { check: seconds }),
  server: string('127.0.0.1:10004', 'host:port of the cloud\'s tunnel.', { check: address }),
  writeDeadline: int32(15, 'Seconds to write one message.', { check: seconds }),
});

export const taskManager = section('Node jobs: upgrade, image pre-pull, configuration update.', { enable: bool(false, 'Run the module.') });
