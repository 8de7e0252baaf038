/**
 * Both ends of the example rules: a service on the node, and an application in the cloud. They say what they get.
 * Ports: the service's and the application's, 9191 and 9192 unless given.
 */
import { createServer } from 'node:http';

const [servicePort = '9191', applicationPort = '9192'] = process.argv.slice(2);

function serve(name: string, port: string, answer: (body: string) => string): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      process.stdout.write(`${name}: ${request.method} ${request.url} ${body}\n`);
      response.end(answer(body));
    });
  });
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write(`${name} listens on 127.0.0.1:${port}\n`));
}

serve('service on the node', servicePort, (body) => `the service got ${body}\n`);
// What a program on the node says arrives as base64, as with KubeEdge.
serve('application in the cloud', applicationPort, (body) => `the application got ${body.length} characters`);
