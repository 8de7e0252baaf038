import { hostPort } from '@edge/protocol';
import { address, atLeast, present, url } from './checks.js';
import { bool, int32, minimal, section, string } from './build.js';

export const CA_FILE = '/etc/kubeedge/ca/rootCA.crt';
export const CERT_FILE = '/etc/kubeedge/certs/server.crt';
export const KEY_FILE = '/etc/kubeedge/certs/server.key';

const seconds = atLeast(0, 'seconds');

export const edgeHub = section('The link to the cloud.', {
  enable: bool(true, 'Run the module.', { minimal: { value: false } }),
  heartbeat: int32(15, 'Seconds between two signs of life; a lost link is tried again within twice that.', { minimal: true, check: atLeast(1, 'seconds') }),
  messageQPS: int32(30, 'Messages per second towards the cloud; 0 for no limit.', { check: atLeast(0) }),
  messageBurst: int32(60, 'Messages towards the cloud allowed in a burst.', { check: atLeast(0) }),
  projectID: string('e632aba927ea4ac2b575ec1603d56f10', 'Project in the link\'s URL and header.', { check: present }),
  tlsCaFile: string(CA_FILE, 'Certificate of the authority, PEM.', { minimal: true }),
  tlsCertFile: string(CERT_FILE, 'Certificate of this node, PEM.', { minimal: true }),
  tlsPrivateKeyFile: string(KEY_FILE, 'Private key of this node, PEM.', { minimal: true }),
  token: string('', 'Token for the first certificate; emptied in the file once it was used.', { minimal: true, secret: true }),
  httpServer: string((host) => `https://${hostPort(host.localIP, 10002)}`, 'Where certificates are asked for.', { minimal: true, check: url('https', 'http') }),
  rotateCertificates: bool(true, 'Renew the certificate before it expires.'),
  websocket: section('Link over WebSocket. Exactly one of websocket and quic is enabled.', minimal({
    enable: bool(true, 'Use it.'),
    handshakeTimeout: int32(30, 'Seconds to establish the link.', { check: seconds }),
    readDeadline: int32(15, 'Seconds; not used by upstream for WebSocket.', { check: seconds }),
    writeDeadline: int32(15, 'Seconds to write one message.', { check: seconds }),
    server: string((host) => hostPort(host.localIP, 10000), 'host:port of the cloud.', { check: address }),
  })),
  quic: section('Link over QUIC. Exactly one of websocket and quic is enabled.', {
    enable: bool(false, 'Use it.'),
    handshakeTimeout: int32(30, 'Seconds to establish the link.', { check: seconds }),
    readDeadline: int32(15, 'Seconds to wait for a message.', { check: seconds }),
    writeDeadline: int32(15, 'Seconds to write one message.', { check: seconds }),
    server: string((host) => hostPort(host.localIP, 10001), 'host:port of the cloud.', { check: address }),
  }),
});
