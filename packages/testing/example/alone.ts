import { createMessage } from '@edge/protocol';
import { aloud, brief, createMemoryStore, createTestBus, createTestCa, freePort, printLine } from '../src/index.js';

// Doubles that modules are tested with: a bus with played neighbours, a store in memory, a certificate authority.
const { bus, play } = createTestBus();
const cloud = play('websocket', 'hub', aloud('cloud', ({ route }) => (route.operation === 'query' ? { colour: 'blue' } : undefined)));
const answer = await bus.request({ group: 'hub' }, createMessage({ source: 'metamanager', group: 'meta', operation: 'query', resource: 'default/configmap/paint' }));
printLine(`the module gets ${JSON.stringify(answer.content)}`);
printLine(`the cloud has got: ${cloud.received.map(brief).join(', ')}`);

const store = createMemoryStore();
const table = store.table<{ key: string; value: string }>({ name: 'notes', columns: { key: 'text', value: 'text' }, key: ['key'] });
await store.commit(() => table.put({ key: 'a', value: 'first' }));
printLine(`stored: ${JSON.stringify(table.all())}`);

const ca = await createTestCa();
const node = await ca.node('edge-1');
printLine(`a certificate of ${node.certificate.length} letters for edge-1, and port ${await freePort()} is free`);
