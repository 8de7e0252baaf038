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
