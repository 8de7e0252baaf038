import { errorCode, errorText } from '@edge/core';
import type { EdgeHubConfig } from '../config.js';
import { dialFacts, EdgeHubErrors, type DialFacts } from '../errors.js';
import type { NodePair } from '../certificates/pair.js';
import { rootCode } from './root-code.js';

/** What is wrong and what to do, in one or two sentences. */
export interface Diagnosis {
  /** Stable, for programs and tests. */
  readonly code: DiagnosisCode;
  readonly text: string;
  /** True when other certificates could help. */
  readonly certificates: boolean;
}

export type DiagnosisCode =
  | 'token-refused'
  | 'token-malformed'
  | 'token-expired'
  | 'token-missing'
  | 'token-other-ca'
  | 'wrong-ca'
  | 'address-not-in-certificate'
  | 'clock-off'
  | 'refused'
  | 'name-unknown'
  | 'unreachable'
  | 'silent'
  | 'not-tls'
  | 'not-a-link'
  | 'wrong-port'
  | 'certificate-refused'
  | 'certificate-expired'
  | 'redirected'
  | 'other';

export interface Symptoms {
  /** What was tried. */
  readonly purpose: 'enrol' | 'link';
  readonly error: unknown;
  readonly node: string;
  /** The local clock. */
  readonly now: number;
  readonly config: Pick<EdgeHubConfig, 'httpServer' | 'tlsCaFile' | 'tlsCertFile' | 'tlsPrivateKeyFile' | 'websocket'>;
  /** What the node shows, when it has something. */
  readonly own?: Pick<NodePair, 'notBefore' | 'notAfter'>;
}

/** Everything a rule may look at. */
interface Case extends Symptoms {
  readonly code: string;
  readonly root: string;
  readonly facts: DialFacts | undefined;
  readonly where: string;
  /** Name of the setting that holds the dialled address. */
  readonly setting: string;
}

type Rule = (found: Case) => Omit<Diagnosis, 'certificates'> | undefined;

const NEEDS_CERTIFICATES: ReadonlySet<DiagnosisCode> = new Set(['wrong-ca', 'certificate-refused', 'certificate-expired', 'token-missing']);
const CHAIN_ERRORS = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA|INVALID_PURPOSE)$/;
const UNREACHABLE = /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL)$/;
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER|HTTP_REQUEST|UNSUPPORTED_PROTOCOL|UNEXPECTED_MESSAGE/;

/** The first rule that applies names the cause. */
const RULES: readonly Rule[] = [tokenRules, clockRule, chainRule, nameRule, ownCertificateRule, addressRules, httpRules];

/** Turns an error of enrolling or dialling into words. Pure. */
export function diagnose(symptoms: Symptoms): Diagnosis {
  const facts = dialFacts(symptoms.error);
  const setting = symptoms.purpose === 'enrol' ? 'modules.edgeHub.httpServer' : 'modules.edgeHub.websocket.server';
  const found: Case = {
    ...symptoms,
    code: errorCode(symptoms.error),
    root: rootCode(symptoms.error),
    facts,
    where: facts?.address ?? (symptoms.purpose === 'enrol' ? symptoms.config.httpServer : symptoms.config.websocket.server),
    setting,
  };
  for (const rule of RULES) {
    const named = rule(found);
    if (named) return { ...named, certificates: NEEDS_CERTIFICATES.has(named.code) };
  }
  return { code: 'other', text: errorText(symptoms.error), certificates: false };
}

function tokenRules({ code, error, facts, where, config, now }: Case): ReturnType<Rule> {
  const newToken = 'get a new one with "keadm gettoken" on the cloud side and put it into modules.edgeHub.token';
  switch (code) {
    case EdgeHubErrors.tokenMalformed:
      return { code: 'token-malformed', text: errorText(error) };
    case EdgeHubErrors.tokenMissing:
      return {
        code: 'token-missing',
        text: `this node has no usable certificate (${config.tlsCertFile}) and modules.edgeHub.token is empty: ${newToken}`,
      };
    case EdgeHubErrors.tokenExpired:
      return { code: 'token-expired', text: `${errorText(error)} (it is ${new Date(facts?.serverTime ?? now).toISOString()} now): ${newToken}` };
    case EdgeHubErrors.caMismatch:
      return {
        code: 'token-other-ca',
        text: `${errorText(error)}: either ${where} is another cloud (check modules.edgeHub.httpServer), or the cloud was installed anew (${newToken})`,
      };
    case EdgeHubErrors.httpStatus:
      if (facts?.httpStatus !== 401) return undefined;
      return { code: 'token-refused', text: `${where} refused to certify this node (401 ${facts.httpBody ?? ''}): the token or certificate shown is not valid there; ${newToken}` };
    default:
      return undefined;
  }
}

function clockRule({ root, facts, where, now }: Case): ReturnType<Rule> {
  if (root !== 'CERT_NOT_YET_VALID' && root !== 'CERT_HAS_EXPIRED') return undefined;
  const server = facts?.server;
  const life = server ? `is valid from ${iso(server.notBefore)} to ${iso(server.notAfter)}` : 'is not valid now';
  const advice = root === 'CERT_NOT_YET_VALID' ? 'set the clock of this machine (NTP)' : 'set the clock of this machine (NTP), or renew the certificate of the cloud';
  return { code: 'clock-off', text: `the certificate of ${where} ${life}, the clock here says ${iso(now)}: ${advice}` };
}

function chainRule({ root, facts, where, config }: Case): ReturnType<Rule> {
  if (!CHAIN_ERRORS.test(root)) return undefined;
  const issuer = facts?.server ? ` (issued by "${facts.server.issuer}" to "${facts.server.subject}")` : '';
  return {
    code: 'wrong-ca',
    text: `${where} shows a certificate${issuer} that the CA in ${config.tlsCaFile} did not sign: either it is another cloud, or the cloud was installed anew; in that case put a new token into modules.edgeHub.token`,
  };
}

function nameRule({ root, facts, where, setting }: Case): ReturnType<Rule> {
  if (root !== 'ERR_TLS_CERT_ALTNAME_INVALID') return undefined;
  const names = facts?.server?.names.join(', ') ?? '';
  return {
    code: 'address-not-in-certificate',
    text: `the certificate of ${where} is for ${names || 'no address at all'}: put one of these into ${setting}, or add the address that you use to cloudHub.advertiseAddress (or dnsNames) of CloudCore and let it make a new certificate`,
  };
}

function ownCertificateRule({ root, code, own, now, where, config, purpose, facts }: Case): ReturnType<Rule> {
  const refused = /(SSLV?\d?|TLSV1|TLSV13)_?ALERT_(.+)$/.exec(root)?.[2];
  const closedAfterHandshake = facts?.stage === 'request' && (code === EdgeHubErrors.upgrade || code === EdgeHubErrors.tls) && own !== undefined && now >= own.notAfter;
  if (refused === undefined && !closedAfterHandshake) return undefined;
  const alert = (refused ?? 'connection closed').toLowerCase().replaceAll('_', ' ');
  if (purpose === 'enrol' && refused === 'CERTIFICATE_REQUIRED') {
    return { code: 'wrong-port', text: `${where} asks for a client certificate, so it is not the certificate endpoint: modules.edgeHub.httpServer needs CloudHub's HTTPS port, 10002 unless changed` };
  }
  if (refused === 'CERTIFICATE_EXPIRED' || (own && now >= own.notAfter)) {
    return {
      code: 'certificate-expired',
      text: `the cloud refused the certificate of this node (${alert}); ${config.tlsCertFile} ended at ${own ? iso(own.notAfter) : 'an unknown time'}, the clock here says ${iso(now)}: put a new token into modules.edgeHub.token to enrol again`,
    };
  }
  return {
    code: 'certificate-refused',
    text: `the cloud refused the certificate of this node (${alert}): ${config.tlsCertFile} was not made by the CA of ${where}; put a new token into modules.edgeHub.token to enrol again`,
  };
}

function addressRules({ root, code, where, setting, error }: Case): ReturnType<Rule> {
  if (root === 'ECONNREFUSED') return { code: 'refused', text: `nothing listens at ${where}: check address and port in ${setting}, and whether CloudCore runs` };
  if (root === 'ENOTFOUND' || root === 'EAI_AGAIN') return { code: 'name-unknown', text: `the name in ${where} cannot be resolved (${root}): check ${setting} and the DNS of this machine` };
  if (UNREACHABLE.test(root)) return { code: 'unreachable', text: `${where} cannot be reached (${root}): check the network of this machine and the address in ${setting}` };
  if (code === EdgeHubErrors.badAddress) return { code: 'other', text: `${setting}: ${errorText(error)}` };
  if (NOT_TLS.test(root)) return { code: 'not-tls', text: `${where} does not speak TLS: check the port in ${setting}` };
  if (code === EdgeHubErrors.stalled || code === EdgeHubErrors.httpTimeout) {
    return { code: 'silent', text: `${errorText(error)}: packets get lost on the way (firewall, wrong address in ${setting}), or the cloud is overloaded` };
  }
  return undefined;
}

function httpRules({ code, facts, where, setting, purpose, error }: Case): ReturnType<Rule> {
  const status = facts?.httpStatus;
  if (status === undefined) return undefined;
  if (status >= 300 && status < 400) return { code: 'redirected', text: `${errorText(error)}; this is not CloudHub: check ${setting}` };
  if (purpose === 'link' && code === EdgeHubErrors.upgrade) {
    return { code: 'not-a-link', text: `${where} answers with HTTP ${status} instead of opening the link: ${setting} needs CloudHub's WebSocket port, 10000 unless changed, and proxies on the way must let headers with underscores through` };
  }
  if (status === 404) return { code: 'wrong-port', text: `${where} has no certificate endpoint (HTTP 404): modules.edgeHub.httpServer needs CloudHub's HTTPS port, 10002 unless changed` };
  return undefined;
}

function iso(time: number): string {
  return Number.isFinite(time) ? new Date(time).toISOString() : 'an unreadable date';
}
