import { sleep } from '@edge/core';
import { ApiFault, text } from './answer.js';
import type { ApiRequest, Handler } from './router.js';

const DEFAULT_SECONDS = 30;
const MOST_SECONDS = 300;

/**
 * `/debug/pprof/`: what of Go's profiles has a counterpart here. `profile` is V8's CPU profile, to be opened in a browser's
 * developer tools, as a `.cpuprofile` file.
 */
export function profiles(): Handler {
  let busy = false;
  return async (request) => {
    switch (request.params['name'] ?? '') {
      case '':
        return text('profile?seconds=30: CPU profile of the agent in V8\'s format\ncmdline: its command line\n');
      case 'cmdline':
        return text(process.argv.join('\0'));
      case 'profile':
        if (busy) throw new ApiFault(409, 'a profile is being taken already');
        busy = true;
        try {
          return { type: 'application/json', headers: { 'Content-Disposition': 'attachment; filename="agent.cpuprofile"' }, body: await cpuProfile(request) };
        } finally {
          busy = false;
        }
      default:
        throw new ApiFault(404, 'this agent is no Go program and has no such profile; see /debug/pprof/');
    }
  };
}

async function cpuProfile({ query, signal }: ApiRequest): Promise<string> {
  const seconds = Number(query.get('seconds') ?? DEFAULT_SECONDS);
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) throw new ApiFault(400, `seconds has to be above 0 and at most ${MOST_SECONDS}`);
  // Not every Node.js is built with it.
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(seconds * 1000, signal);
    const { profile } = await session.post('Profiler.stop');
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
  }
}
