import { atLeast, between, knownGates, present } from './checks.js';
import { bool, choice, flags, int32, int64, own, section, string } from './build.js';
import { edged } from './edged.js';
import { edgeHub } from './edge-hub.js';
import { edgeMesh } from './edge-mesh.js';
import { dbTest, deviceTwin, edgeStream, eventBus, metaManager, serviceBus, taskManager } from './other-modules.js';
import { ownServiceBus } from './own-service-bus.js';
import type { Infer } from './field.js';

const API_GROUP = 'edgecore.config.kubeedge.io';
export const CURRENT = `${API_GROUP}/v1alpha2`;
export const OLD = `${API_GROUP}/v1alpha1`;

const MEBI = 1024 * 1024;

/** The whole file. Defaults, validation, unknown-key warnings, printing and the reference page all come from here. */
export const schema = section('edgecore.yaml', {
  apiVersion: string(CURRENT, 'Version of this file\'s layout.', { minimal: true }),
  kind: string('EdgeCore', 'Always EdgeCore.', { minimal: true }),
  edgecoreVersion: string('', 'Version that was started last; written by the agent.', { minimal: true }),
  featureGates: flags('Switches of unfinished features.', { check: knownGates }),
  database: section('Where state is kept.', {
    driverName: string('sqlite3', 'Ignored: always SQLite.'),
    aliasName: string('default', 'Ignored.'),
    dataSource: string('/var/lib/kubeedge/edgecore.db', 'Database file; its directory is created.', { minimal: true, check: present }),
  }),
  modules: section('The modules.', { edged, edgeHub, eventBus, metaManager, serviceBus, deviceTwin, dbTest, edgeStream, taskManager }),
  edge: own('Settings that upstream does not have. Upstream ignores this section.', {
    runtime: choice(['cri', 'process', 'auto'], 'How pods run: cri (a container runtime), process (plain child processes) or auto (cri where there is one).'),
    readyTimeoutSeconds: int32(30, 'A module that is not ready after this many seconds is reported as failed.', { check: between(1, 86400, 'seconds') }),
    outbox: own('What waits on disk for the cloud.', {
      maxBytes: int64(64 * MEBI, 'Most bytes kept; the oldest events go first.', { check: atLeast(MEBI, 'bytes, at least 1 MiB') }),
      maxAgeSeconds: int64(7 * 24 * 3600, 'Events older than this are dropped.', { check: atLeast(60, 'seconds') }),
    }),
    metaManager: own('What is stored of the cloud\'s objects.', {
      tokenKeyFile: string('', 'File with the key that encrypts stored service account tokens, made when it is needed; readable by root alone. Empty: the database file\'s path with .token-key.'),
    }),
    deviceTwin: own('Devices.', {
      skipUnchanged: bool(true, 'A reported value that equals what stands is answered, but neither stored nor sent to the cloud; false: as upstream, each report is.'),
      anyValue: bool(false, 'Values may hold any characters, up to 64 KiB; false: as upstream, letters, digits and - _ . , : / @ #, up to 512.'),
      dmi: own('The Device Mapper Interface.', {
        callsPerSecond: int32(5000, 'Calls a second that one mapper may make in the long run; more are refused.', { check: atLeast(1, 'calls a second') }),
        burst: int32(10000, 'Calls that one mapper may make at once after a quiet time.', { check: atLeast(1, 'calls') }),
        nestedConfig: choice(['refuse', 'json'], 'Lists and objects in configData, which mappers of upstream cannot read: refuse (the device is not sent, as upstream) or json (as their JSON text).'),
      }),
    }),
    eventBus: own('MQTT, beyond what upstream can set.', {
      passwordFile: string('', 'Who may connect to the internal broker: lines name:hash, as mosquitto_passwd writes them. Empty: everybody.'),
      rulesFile: string('', 'Which topics clients of the internal broker may use, in the words of mosquitto\'s acl_file. Empty: all may use all.'),
      tls: own('Certificates of the internal broker for tls://, mqtts:// and wss://.', {
        caFile: string('', 'Authority of client certificates, PEM; that of eventBusTLS when empty.'),
        certFile: string('', 'Certificate, PEM; that of eventBusTLS when empty.'),
        keyFile: string('', 'Private key, PEM; that of eventBusTLS when empty.'),
        requireClientCertificate: bool(false, 'Only clients with a certificate of that authority may connect.'),
      }),
      maxClients: int32(1000, 'Connections to the internal broker at a time.', { check: between(1, 1_000_000) }),
      maxPacketBytes: int32(10 * MEBI, 'Largest packet that the internal broker takes.', { check: between(1024, 268_435_455, 'bytes') }),
      keepAliveSeconds: int32(30, 'Silence after which the external broker is asked for a sign of life.', { check: between(1, 65535, 'seconds') }),
      maxWaitingMessages: int32(10_000, 'Messages that wait while the external broker is away; then the oldest go.', { check: between(1, 10_000_000) }),
    }),
    serviceBus: ownServiceBus,
    testManager: own('The test module.', { port: int32(12345, 'Port on the loopback.', { check: between(1, 65535, 'a port') }) }),
    metaServer: own('The local Kubernetes API, beyond what upstream can set.', {
      certificateDirectory: string('/etc/kubeedge/pki/metaserver', 'Folder of its serving certificate and the cluster\'s authority, in upstream\'s layout.', { check: present }),
    }),
    edgeMesh,
    kubeletApi: own('Who may use the node\'s own kubelet API.', {
      auth: choice(['open', 'token'], 'open (whoever reaches the port, as upstream) or token (only with the token of tokenFile; health checks need none).'),
      tokenFile: string('/etc/kubeedge/kubelet-api.token', 'File with the token, made at start when it is not there; only its owner may read it.', { check: present }),
    }),
    upgrade: own('Versions of the agent on this node.', {
      registry: string('', 'Address of the registry that versions come from. Empty: the one that npm is configured with.'),
      readyTimeoutSeconds: int32(300, 'A new version that is not Ready after this many seconds is taken back.', { check: between(1, 86400, 'seconds') }),
      settleSeconds: int32(10, 'So long without a break a new version has to be Ready.', { check: between(0, 3600, 'seconds') }),
    }),
  }),
});

/** The configuration as plain data, with upstream's key names. Values are what the file says over the defaults. */
export type EdgeCoreConfig = Infer<typeof schema>;
export type ModulesConfig = EdgeCoreConfig['modules'];
export type ModuleName = keyof ModulesConfig;
export type EdgeOwnConfig = EdgeCoreConfig['edge'];
