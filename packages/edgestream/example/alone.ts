import 'reflect-metadata';
import { eventually, printLine, stayIfAsked } from '@edge/testing';
import { scene, textOf } from '../test/scene.js';

// The cloud opens the tunnel's sessions as `kubectl logs` and `kubectl exec` do; a kubelet API is asked for each. Both are played.
await using played = await scene({
  serve: (request, response) => {
    printLine(`to the kubelet API: ${request.method ?? ''} ${request.url ?? ''}`);
    response.writeHead(200, { 'Content-Type': 'text/plain' });
    response.write('first line of the log\n');
    response.end('last line of the log\n');
  },
});
const { caller } = await played.tunnel();
printLine(`cloud: a tunnel from ${JSON.stringify(caller)}`);

const logs = await played.open('logs', '/containerLogs/default/web/app', { query: 'tailLines=2' });
printLine('cloud: asks for the log of default/web');
for (const line of (await textOf(logs)).trimEnd().split('\n')) printLine(`cloud: it gets ${line}`);

await played.cloudAway();
printLine('the cloud is away');
await played.cloudBack();
await eventually(async () => (played.tunnels.length > 1 ? true : undefined), 'the tunnel is there again');
printLine('cloud: the tunnel is there again');
for (const line of played.lines) printLine(`log: ${line.level} ${line.message}`);
for (const figure of played.figures()) printLine(`figure: ${figure}`);
await stayIfAsked();
