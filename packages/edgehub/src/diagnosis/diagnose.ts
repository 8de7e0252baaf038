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
  /** `host:port` that it is about; with the code it tells whether something new has happened. */
  readonly address: string;
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
  | 'closed'
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

type Rule = (found: Case) => Pick<Diagnosis, 'code' | 'text'> | undefined;

const NEEDS_CERTIFICATES: ReadonlySet<DiagnosisCode> = new Set(['wrong-ca', 'certificate-refused', 'certificate-expired', 'closed', 'token-missing']);
const CHAIN_ERRORS = /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_SIGNATURE_FAILURE|CERT_UNTRUSTED|INVALID_CA|INVALID_PURPOSE)$/;
const UNREACHABLE = /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|ETIMEDOUT|EADDRNOTAVAIL)$/;
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|RECORD_LAYER|HTTP_REQUEST|UNSUPPORTED_PROTOCOL|UNEXPECTED_MESSAGE/;

/** The first rule that applies names the cause. */
const RULES: readonly Rule[] = [expiredRule, tokenRules, clockRule, chainRule, nameRule, refusalRule, addressRules, httpRules, closedRule];

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
    if (named) return { ...named, address: found.where, certificates: NEEDS_CERTIFICATES.has(named.code) };
  }
  return { code: 'other', text: errorText(symptoms.error), address: found.where, certificates: false };
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

/** Our own certificate has ended and the cloud acts accordingly. Go sends an alert, others just close, the endpoint answers 401. */
function expiredRule({ root, code, own, now, where, config, facts }: Case): ReturnType<Rule> {
  const ended = own !== undefined && now >= own.notAfter;
  const sent = facts?.stage === 'request' && (code === EdgeHubErrors.upgrade || code === EdgeHubErrors.tls || facts.httpStatus === 401);
  if (alertOf(root) !== 'CERTIFICATE_EXPIRED' && !(ended && sent)) return undefined;
  const when = own ? `${config.tlsCertFile} ended at ${iso(own.notAfter)}` : `${config.tlsCertFile} has ended`;
  return {
    code: 'certificate-expired',
    text: `${where} refused the certificate of this node: ${when}, the clock here says ${iso(now)}: put a new token into modules.edgeHub.token to enrol again`,
  };
}

function refusalRule({ root, where, config, purpose }: Case): ReturnType<Rule> {
  const alert = alertOf(root);
  if (alert === undefined) return undefined;
  if (purpose === 'enrol' && alert === 'CERTIFICATE_REQUIRED') return endpointIsLink(where);
  return {
    code: 'certificate-refused',
    text: `the cloud refused the certificate of this node (${alert.toLowerCase().replaceAll('_', ' ')}): ${config.tlsCertFile} was not made by the CA of ${where}; put a new token into modules.edgeHub.token to enrol again`,
  };
}

/** Not every server says why it closes. */
function closedRule({ code, facts, purpose, where, config }: Case): ReturnType<Rule> {
  if (facts?.stage !== 'request' || (code !== EdgeHubErrors.upgrade && code !== EdgeHubErrors.tls)) return undefined;
  if (purpose === 'enrol') return endpointIsLink(where);
  return {
    code: 'closed',
    text: `${where} closed the connection instead of opening the link: either it refused the certificate of this node (${config.tlsCertFile}, made by another CA or for another purpose; put a new token into modules.edgeHub.token to enrol again), or something on the way cuts connections`,
  };
}

function endpointIsLink(where: string): ReturnType<Rule> {
  return {
    code: 'wrong-port',
    text: `${where} asks for a client certificate or closes the connection, so it is not the certificate endpoint: modules.edgeHub.httpServer needs CloudHub's HTTPS port, 10002 unless changed`,
  };
}

/** The TLS alert that the other side sent, `UNKNOWN_CA` style. */
function alertOf(root: string): string | undefined {
  return /ALERT_(.+)$/.exec(root)?.[1];
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
