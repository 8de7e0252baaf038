import { answerQuestions } from './ask.js';
import { countEvents, RawHttp, requestOf } from './raw-http.js';

type Question =
  /** Asks for `path` on so many connections at once. */
  | { readonly do: 'get'; readonly port: number; readonly path: string; readonly requests: number; readonly connections: number }
  /** Opens watches that stay open. */
  | { readonly do: 'watch'; readonly port: number; readonly path: string; readonly watchers: number }
  /** Resolves when all watches together have got `count` events since the last such question was answered. */
  | { readonly do: 'await-events'; readonly count: number }
  | { readonly do: 'close-watches' };

const OPENING = 50;
const watches: Disposable[] = [];
let events = 0;
let onEvents = (): void => undefined;

answerQuestions<Question>(async (question) => {
  switch (question.do) {
    case 'get':
      return get(question);
    case 'watch':
      for (let left = question.watchers; left > 0; left -= OPENING) {
        const opening = Array.from({ length: Math.min(left, OPENING) }, () => countEvents(question.port, question.path, (count) => {
          events += count;
          onEvents();
        }));
        watches.push(...(await Promise.all(opening)));
      }
      return;
    case 'await-events':
      await new Promise<void>((resolve) => {
        onEvents = (): void => {
          if (events >= question.count) resolve();
        };
        onEvents();
      });
      events -= question.count;
      return performance.timeOrigin + performance.now();
    case 'close-watches':
      for (const watch of watches.splice(0)) watch[Symbol.dispose]();
      // What nobody waited for must not count for the next ones.
      events = 0;
  }
});

async function get({ port, path, requests, connections }: Extract<Question, { do: 'get' }>): Promise<{ perSecond: number; latencies: number[] }> {
  const clients = await Promise.all(Array.from({ length: connections }, () => RawHttp.open(port)));
  const request = requestOf(path);
  const latencies: number[] = [];
  let left = requests;
  const start = performance.now();
  await Promise.all(clients.map(async (client) => {
    for (; left > 0; ) {
      left -= 1;
      const asked = performance.now();
      await client.get(request);
      latencies.push(performance.now() - asked);
    }
  }));
  const seconds = (performance.now() - start) / 1000;
  for (const client of clients) client[Symbol.dispose]();
  return { perSecond: requests / seconds, latencies: latencies.sort((a, b) => a - b) };
}
