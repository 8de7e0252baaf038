import { createMessage, createResponse, createStrategicPatch, decodeFrame, decodeMessage, encodeFrame, encodeMessage, FrameTypes, Operations, parseResource, strategicMerge } from '../src/index.js';

// What two processes say to each other, as bytes and back: a question and its answer, a patch, a frame of the tunnel.
const print = (title: string, value: unknown): void => void process.stdout.write(`${title}: ${typeof value === 'string' ? value : JSON.stringify(value)}\n`);

const question = createMessage({ source: 'edged', group: 'meta', operation: Operations.query, resource: 'default/configmap/paint' });
const bytes = encodeMessage(question);
print('question', bytes.trim());
print('its resource', parseResource(question.route.resource));
const answer = createResponse(decodeMessage(bytes), { data: { colour: 'blue' } });
print('answer', encodeMessage(answer).trim());
print('belongs to the question', answer.header.parentId === question.header.id);

const pod = { spec: { containers: [{ name: 'web', image: 'web:1' }, { name: 'log', image: 'log:1' }] } };
const wanted = { spec: { containers: [{ name: 'web', image: 'web:2' }, { name: 'log', image: 'log:1' }] } };
const patch = createStrategicPatch(pod, wanted);
print('strategic patch', patch);
print('applied', strategicMerge(pod, patch));

const frame = encodeFrame(7, FrameTypes.data, Buffer.from('hello'));
print('frame of the tunnel', frame.toString('hex'));
const decoded = decodeFrame(frame);
print('session and data', `${decoded.id} ${Buffer.from(decoded.data).toString()}`);
