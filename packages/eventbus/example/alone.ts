import 'reflect-metadata';
import { aloud, createMemoryStore, freePort, printingLogger, printLine, runModule, stayIfAsked } from '@edge/testing';
import { createMessage, createResponse, resourceTopic } from '@edge/protocol';
import { eventbus } from '../src/index.js';
import { openClient } from '../test/support/scene.js';

// The broker of this node between a client, the device twin and the cloud; the two latter are played. `npm run alone -- <port> --stay` keeps it.
const port = Number(process.argv[2] ?? '') || (await freePort());
const module = await runModule(eventbus, {
  store: createMemoryStore(),
  log: printingLogger(),
  config: { modules: { eventBus: { mqttMode: 0, mqttServerInternal: `tcp://127.0.0.1:${port}` } } },
  neighbours: (bus) => {
    bus.play('twin', 'twin', aloud('twin', (message) => {
      printLine(`    that is topic ${resourceTopic(message.route.resource) ?? ''}`);
      return createResponse(message, 'OK');
    }));
    bus.play('websocket', 'hub', aloud('cloud', (message) => createResponse(message, 'OK')));
  },
});
const client = await openClient(port);
await client.mqtt.subscribeAsync('shop/#');

printLine('client: publishes to SYS/dis/upload_records, for the cloud');
await client.publish('SYS/dis/upload_records', '{"temperature":21}');
printLine('client: asks for a twin');
await client.publish('$hw/events/device/default/dev1/twin/get', '{}');
printLine('from a rule of the cloud: publish to shop/orders');
await module.core.bus.send({ group: 'bus' }, createMessage({ source: 'router_eventbus', group: 'user', operation: 'publish', resource: 'shop/orders', content: '2 cups' }));
for (const { topic, payload } of await client.until(1)) printLine(`client: gets ${topic} ${payload.toString()}`);

await stayIfAsked();
await client.close();
await module.stop();
