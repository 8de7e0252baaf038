import 'reflect-metadata';
import { eventually, printLine, stayIfAsked } from '@edge/testing';
import { openScene } from '../test/support/scene.js';

// A device is bound to the node, reports a temperature while the link is down, and the cloud gets it when the link is there.
// Broker, metamanager and cloud are played.
const DEVICE = 'default/sensor';
await using scene = await openScene({ connected: true });
let shown = 0;
const show = (): void => {
  for (const { topic, payload } of scene.published.slice(shown)) printLine(`to MQTT: ${topic} ${payload}`);
  shown = scene.published.length;
};

await scene.membership({ added: [{ id: DEVICE, name: 'sensor', state: 'unknown', twin: { temperature: { optional: true, metadata: { type: 'float' } } } }] });
await eventually(async () => (scene.deviceRows().length === 1 ? true : undefined), 'the device is stored');
printLine(`stored: device ${String(scene.deviceRows()[0]?.id)}`);

scene.disconnect();
printLine('the link is down');
for (const value of ['20', '21']) {
  const answer = await scene.publish(`$hw/events/device/${DEVICE}/twin/update`, { event_id: value, timestamp: Date.now(), twin: { temperature: { actual: { value }, metadata: { type: 'float' } } } });
  printLine(`from MQTT: the temperature is ${value}, answered with ${answer}`);
  show();
}
const answer = await scene.publish(`$hw/events/device/${DEVICE}/twin/update`, 'nonsense');
printLine(`from MQTT: nonsense, answered with ${answer}`);
show();

scene.connect();
printLine('the link is open');
await eventually(async () => (scene.reported(DEVICE).length > 0 ? true : undefined), 'the cloud is told');
for (const report of scene.reported(DEVICE)) printLine(`to the cloud: ${JSON.stringify(report)}`);
printLine(`mappers would call ${scene.dmiSocket}`);
await stayIfAsked();
