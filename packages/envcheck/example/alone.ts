import { hostname } from 'node:os';
import { printLine, stayIfAsked } from '@edge/testing';
import { checkEnvironment, gatherNetwork, lookupHost, resolveNodeAddress } from '../src/index.js';

// What the agent would find on this machine before it starts, and what it says to a kubelet that runs.
const network = await gatherNetwork();
for (const found of network.interfaces) printLine(`address ${found.address} at ${found.interface}`);
const { address, source } = await resolveNodeAddress({ customInterfaceName: '', nodeIP: '', hostname: hostname(), lookup: lookupHost, ...network });
printLine(`the node's address: ${address ?? 'none'}, by ${source}`);
const wrong = await resolveNodeAddress({ customInterfaceName: '', nodeIP: '203.0.113.9', hostname: hostname(), lookup: lookupHost, ...network }).catch((error: Error) => error.message);
printLine(`with nodeIP 203.0.113.9: ${JSON.stringify(wrong)}`);

const empty = { env: {}, metaServerEnabled: false, listProcesses: () => Promise.resolve([]) };
printLine(`a machine without a kubelet: ${await checkEnvironment(empty)}`);
const refused = await checkEnvironment({ ...empty, listProcesses: () => Promise.resolve([{ pid: 7, name: 'kubelet' }]) }).catch((error: Error) => error.message);
printLine(`a machine with one: ${refused}`);
await stayIfAsked();
