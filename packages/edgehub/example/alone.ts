import 'reflect-metadata';
import { createMessage, createResponse } from '@edge/protocol';
import { createTestCa, eventually, printingLogger, printLine, runModule, stayIfAsked } from '@edge/testing';
import { edgehub } from '../src/index.js';
import { FakeCloud } from '../test/fake-cloud.js';
import { scene } from '../test/scene.js';

// The link over real TLS to a cloud that is played: a query is answered, the line is cut, and an event arrives all the same.
const ca = await createTestCa();
await using cloud = await FakeCloud.start(ca);
const { answer } = cloud.habits;
cloud.habits.answer = (message) => {
  printLine(`cloud: ${message.route.operation} ${message.route.resource}`);
  return message.route.operation === 'query' ? createResponse(message, { data: { colour: 'blue' } }, { source: 'edgecontroller', group: 'resource' }) : answer(message);
};
cloud.habits.onOpen = () => printLine(`cloud: link ${cloud.sessions.length} from ${cloud.sessions.at(-1)?.url ?? ''}`);

await using folder = await scene({ hubPort: cloud.hubPort, pair: { ca } });
const module = await runModule<never, never>(edgehub as never, { ...folder.options, log: printingLogger() });
await module.core.link.until(({ connected }) => connected, AbortSignal.timeout(60_000));

const query = createMessage({ source: 'metamanager', group: 'meta', operation: 'query', resource: 'default/configmap/paint' });
const { content } = await module.core.bus.request({ group: 'hub' }, query);
printLine(`metamanager gets ${JSON.stringify(content)}`);

for (const { socket } of cloud.sessions) socket.terminate();
printLine('the line is cut');
await module.core.bus.send({ group: 'hub' }, createMessage({ source: 'edged', group: 'meta', operation: 'insert', resource: 'default/event/cut.1', content: {} }));
await eventually(async () => (cloud.heard.some(({ route }) => route.resource === 'default/event/cut.1') ? true : undefined), 'the event arrives');
printLine('the event has arrived, the cut did not matter');

await stayIfAsked();
await module.stop();
