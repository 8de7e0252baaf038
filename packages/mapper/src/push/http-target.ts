import type { PushMethodHTTP } from '@edge/protocol/dmi';
import { post } from './post.js';
import { localTime, PUSH_MS, type PushTarget } from './push-target.js';

/** A form post `<property>=<value>&time=<local time>` to `hostName:port/requestPath`; `timeout` is in seconds. */
export function httpTarget({ hostname, port, requestpath, timeout }: PushMethodHTTP): PushTarget {
  const host = hostname.includes('://') ? hostname : `http://${hostname}`;
  const url = `${host}${port > 0 ? `:${port}` : ''}${requestpath.startsWith('/') || requestpath === '' ? '' : '/'}${requestpath}`;
  return {
    push: ({ property, text, at }, signal) => {
      const body = new URLSearchParams({ [property]: text, time: localTime(at) }).toString();
      return post(url, body, { 'content-type': 'application/x-www-form-urlencoded' }, timeout > 0 ? timeout * 1000 : PUSH_MS, signal);
    },
  };
}
