import { between } from './checks.js';
import { bool, choice, int32, list, own, string } from './build.js';

/** What servicebus can do beyond upstream. */
export const ownServiceBus = own('HTTP between rules and services, beyond what upstream can set.', {
  allow: list([], 'What rules may reach on this node: "9000", "9000-9010", "9000/api" for the paths below. Empty: all but the agent\'s own ports, which are reached only when named by themselves.'),
  callTimeoutSeconds: int32(10, 'A service has to answer a rule\'s call within this time, to the last byte.', { check: between(1, 3600, 'seconds') }),
  redirects: choice(['follow', 'node'], 'Redirects of services: follow (as upstream, to any machine) or node (within this node alone).'),
  repeatWindowSeconds: int32(0, 'A request that changes something, failed, and comes again the same within this time gets the first one\'s answer: the cloud repeats what fails. 0: it is done again, as upstream.', { check: between(0, 3600, 'seconds') }),
  body: choice(['base64', 'plain'], 'How what a program on this node says reaches the cloud\'s application: base64 (as upstream over WebSocket) or plain (as it is; bytes that are no UTF-8 still as base64).'),
  openToNetwork: bool(false, 'Listen on an address that other machines reach without asking for a token.'),
  tokenFile: string('', 'Programs on this node have to show the token in this file, made at start when it is not there; only its owner may read it. Empty: none is asked for.'),
  requestsPerSecond: int32(100, 'Requests a second that programs on this node may make in the long run; twice as many at once.', { check: between(1, 1_000_000) }),
  maxRequests: int32(256, 'Requests at a time, each way; more are refused at once.', { check: between(1, 100_000) }),
});
