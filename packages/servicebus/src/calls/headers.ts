import type { HeaderLists } from './call-content.js';

/** Those that are about one connection and no business of the other end. `Expect` would wait for an answer that the router never gives. */
const OF_THE_CONNECTION = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'host', 'content-length', 'expect',
]);
/** What Go's transport takes out of an answer. */
const NOT_IN_ANSWERS = new Set(['transfer-encoding', 'trailer']);

/** Headers that go on to the service, name and value in turns. Values are UTF-8, which Node calls latin1. */
export function requestHeaders(given: HeaderLists): string[] {
  const named = Object.entries(given).filter(([name]) => name.toLowerCase() === 'connection').flatMap(([, values]) => values.join(',').toLowerCase().split(',').map((item) => item.trim()));
  const left = Object.entries(given).filter(([name]) => !OF_THE_CONNECTION.has(name.toLowerCase()) && !named.includes(name.toLowerCase()));
  const lines = left.flatMap(([name, values]) => values.flatMap((value) => [name, Buffer.from(oneLine(value)).toString('latin1')]));
  return left.some(([name]) => name.toLowerCase() === 'accept') ? lines : [...lines, 'Accept', '*/*'];
}

/** Headers of an answer as Go holds them: `Content-Type`, sorted, a list each. @param raw name and value in turns */
export function answerHeaders(raw: readonly string[]): HeaderLists {
  const lists = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = canonical(raw[at] as string);
    if (NOT_IN_ANSWERS.has(name.toLowerCase())) continue;
    const list = lists.get(name) ?? [];
    list.push(Buffer.from(raw[at + 1] as string, 'latin1').toString());
    lists.set(name, list);
  }
  return Object.fromEntries([...lists].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `content-type` → `Content-Type`. */
export function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** No control character gets into a head; a line break would begin a header of its own. */
function oneLine(value: string): string {
  return value.replace(/[\x00-\x08\x0a-\x1f\x7f]+/g, ' ').trim();
}
