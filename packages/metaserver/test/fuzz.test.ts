import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { object, Scene } from './scene.js';

/** A generator with a seed, so that a failure can be seen again. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

it('[metaserver-11.1] whatever is asked, with and without the cloud, is answered with an object or a Status, and nothing escapes the API', async () => {
  const random = randomOf(7);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  await using scene = await Scene.open({ connected: true, objects: [object('ConfigMap', 'a', 1), object('Pod', 'p', 2)] });
  const parts = ['api', 'apis', 'v1', 'v2', 'apps', 'namespaces', 'default', 'pods', 'configmaps', 'a', 'p', 'status', 'log', 'exec', 'watch', '..', '%2e%2e', '%00', '%', 'null', 'a|b', '%7C', 'stored', '', 'é', 'x'.repeat(300), 'restart', 'openapi', 'version'];
  const values = ['', '1', 'x=y', '!', '=', 'metadata.name=a', '\\', '999999999999999999', '-1', '0', 'true', 'Strict', 'eyJ2', '%ff', 'a in (b', 'status.phase!=Running'];
  const names = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'dryRun', 'fieldManager', 'includeObject', 'pretty'];
  const bodies = [undefined, '', '{}', '[]', 'null', '"x"', '{"metadata":null}', '{"metadata":{"name":5}}', '{"metadata":{"resourceVersion":"77"}}', '[{"op":"test","path":"/metadata/resourceVersion","value":"3"}]', '{', '{"kind":"DeleteOptions","preconditions":{"resourceVersion":"9"}}'];
  const types = ['application/json', 'application/merge-patch+json', 'application/json-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml', 'application/yaml', 'text/plain'];
  for (let round = 0; round < 240; round += 1) {
    if (round === 120) scene.disconnect();
    const start = pick(['/api/v1/namespaces/default/configmaps/a', '/api/v1/namespaces/default/pods/', '/api/v1/', '/apis/', '/']);
    const path = start + Array.from({ length: Math.floor(random() * 4) }, () => pick(parts)).join('/');
    const query = Array.from({ length: Math.floor(random() * 3) }, () => `${pick(names)}=${encodeURIComponent(pick(values))}`).join('&');
    const method = pick(['GET', 'GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS']);
    const answer = await scene.call(method, query === '' ? encodeURI(decodeSafely(path)) : `${encodeURI(decodeSafely(path))}?${query}`, method === 'GET' ? undefined : pick(bodies), { 'Content-Type': pick(types) });
    const what = `${method} ${path}?${query} -> ${answer.code} ${answer.text.slice(0, 200)}`;
    expect(answer.code, what).toBeGreaterThanOrEqual(200);
    if (answer.code >= 400) expect(answer.json, what).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.code });
    expect(answer.code === 500 && answer.text.includes('unexpected error'), what).toBe(false);
  }
  expect(scene.running.lines.filter(({ level }) => level === 'error')).toEqual([]);
  // What reaches the cloud names a resource or a document of discovery.
  for (const { Key } of scene.cloud.asked) expect(Key).toMatch(/^\/([^/]+\/[^/]+\/[^/]+\/[^/]+\/[^/]+|version|api|apis|api\/[^/]+|apis\/[^/]+(\/[^/]+)?)$/);
  expect((await scene.call('GET', '/readyz')).text).toBe('ok');
});

/** Escapes that are none are sent as they are. */
function decodeSafely(path: string): string {
  return path.replace(/%(?![0-9a-fA-F]{2})/g, '%25').replace(/%([0-9a-fA-F]{2})/g, (escape) => (escape === '%00' ? escape : escape));
}

/** One request, byte for byte; resolves with what came until the answer was whole, a stream began, or the server closed. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const [head = '', body] = text.split(/\r\n\r\n([^]*)/, 2);
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (body !== undefined && (length === undefined || bytes.startsWith('HEAD') || body.length >= Number(length))) socket.destroy();
    });
    socket.on('error', () => undefined);
    const late = setTimeout(() => { text = `no answer: ${text}`; socket.destroy(); }, 20_000);
    socket.on('close', () => { clearTimeout(late); resolve(text); });
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

it('[metaserver-11.2] requests byte for byte as no client writes them get an object, a stream or a Status with the right code, and harm nobody', async () => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 11);
  const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 250);
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const some = <T>(most: number, list: readonly T[]): T[] => Array.from({ length: Math.floor(random() * (most + 1)) }, () => pick(list));
  await using scene = await Scene.open({ connected: true, objects: [object('ConfigMap', 'a', 1), object('Pod', 'p', 2)] });
  const segments = ['api', 'apis', 'v1', 'apps', 'namespaces', 'default', 'pods', 'configmaps', 'a', 'p', 'status', 'scale', 'watch', '..', '.', '%2e%2e', '%2F', '%00', '%zz', '\\', ';', '*', '__proto__', 'constructor', '', '\u00e9', 'A'.repeat(200), 'openapi', 'v3', 'nodes', 'healthz', '%0d%0aX: y', '|', '~'];
  const queries = ['watch=1', 'watch=true&timeoutSeconds=1', 'watch=maybe', 'limit=1', 'limit=-1', 'limit=1&limit=2', 'continue=WzEsImEiXQ', 'continue=%00', 'labelSelector=a,b,c', 'labelSelector=((', `labelSelector=${'a,'.repeat(500)}a`, 'fieldSelector=metadata.name%3Da', 'fieldSelector=%5C', 'resourceVersion=99999999999', 'resourceVersion=-1', 'resourceVersion=0', 'resourceVersionMatch=Exact', 'sendInitialEvents=true', 'pretty=1', '&&&', '=', '%', 'dryRun=All', 'fieldManager=x', 'force=1', 'propagationPolicy=Nobody', 'gracePeriodSeconds=x'];
  const headers = ['Accept: application/json;as=Table;v=v1;g=meta.k8s.io', 'Accept: application/vnd.kubernetes.protobuf', 'Accept: ,;=,', 'Accept: */*;q=0', 'Accept: application/yaml', 'Accept-Encoding: gzip;q=,', 'Content-Type: application/yaml', 'Content-Type: application/merge-patch+json', 'Content-Type: application/json-patch+json', 'Content-Type: application/apply-patch+yaml', 'Content-Type: ;', 'Content-Type: application/vnd.kubernetes.protobuf', 'Connection: Upgrade', 'Upgrade: websocket', 'Upgrade: h2c', 'Sec-WebSocket-Key: x', 'Sec-WebSocket-Version: 99', 'Authorization: Bearer x', 'Expect: 100-continue', 'X-Forwarded-For: \u00ff', 'Range: bytes=0-1', 'If-Match: *'];
  const bodies = ['', '{}', 'null', '[]', '{"a":', '['.repeat(5000), '- '.repeat(5000), 'a: &a [*a]', 'a: &a [x,x,x]\nb: [*a,*a,*a]', '{"metadata":{"name":"__proto__"}}', '{"__proto__":{"x":1}}', `{"metadata":{"name":"n","labels":{${Array.from({ length: 500 }, (_, i) => `"l${i}":"v"`).join(',')}}}}`, '[{"op":"copy","from":"","path":"/x"}]', 'k8s\0\n\u0002v1', '\u00ff\u00fe'];
  for (let round = 0; round < rounds; round += 1) {
    if (round === Math.floor(rounds / 2)) scene.disconnect();
    const start = pick(['/api/v1/namespaces/default/configmaps/a/', '/api/v1/namespaces/default/pods/', '/api/v1/', '/apis/', '/', '', '//']);
    const target = `${start}${some(4, segments).join('/')}${random() < 0.6 ? `?${some(3, queries).join('&')}` : ''}` || '/';
    const body = random() < 0.5 ? pick(bodies) : '';
    const given = some(4, headers);
    const method = pick(['GET', 'GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'PROPFIND']);
    const text = await raw(scene.port, [`${method} ${target} HTTP/1.1`, 'Host: x', ...given, `Content-Length: ${body.length}`, '', body].join('\r\n'));
    const what = `seed ${seed}, round ${round}: ${method} ${target.slice(0, 200)} ${given.join(' | ')} ${JSON.stringify(body.slice(0, 60))} -> ${text.slice(0, 300)}`;
    // After "100 Continue" the answer itself.
    const [, code = ''] = /^(?:HTTP\/1\.1 100 Continue\r\n\r\n)?(?:HTTP\/1\.1 (\d+) )?/.exec(text) ?? [];
    if (code === '' && text.startsWith('HTTP/1.1 100')) continue;
    expect(code, what).toMatch(/^(200|201|101|4\d\d|503|504)$/);
    if (Number(code) >= 400 && method !== 'HEAD' && !given.includes('Upgrade: websocket')) {
      const status = JSON.parse(Buffer.from(text.slice(text.indexOf('{', text.indexOf(`HTTP/1.1 ${code}`))), 'latin1').toString('utf8')) as unknown;
      expect(status, what).toMatchObject({ kind: 'Status', status: 'Failure', code: Number(code) });
    }
  }
  expect(scene.running.lines.filter(({ level }) => level === 'error')).toEqual([]);
  for (const { Key } of scene.cloud.asked) expect(Key).toMatch(/^\/([^/]+\/[^/]+\/[^/]+\/[^/]+\/[^/]+|version|api|apis|api\/[^/]+|apis\/[^/]+(\/[^/]+)?)$/);
  expect((await scene.call('GET', '/readyz')).text).toBe('ok');
});
