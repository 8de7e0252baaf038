import type { ImageRecipe } from '@edge/testing';

/** The shell image under another name, so that its containers count as changed. */
export const BUSYBOX_TWIN = 'localhost/edge/busybox:2';
/** Prints `entry` and its arguments, `default args` unless the pod gives others. */
export const ECHO_IMAGE = 'localhost/edge/echo:1';
/** Runs as a user that is known by its name only, in a folder and with a variable and a stop signal of its own. */
export const NAMED_USER_IMAGE = 'localhost/edge/named-user:1';
/** Runs as user 1000 by number. */
export const NUMBERED_USER_IMAGE = 'localhost/edge/numbered-user:1';

export const conformanceImages: readonly ImageRecipe[] = [
  { name: BUSYBOX_TWIN },
  { name: ECHO_IMAGE, config: { Entrypoint: ['/bin/echo', 'entry'], Cmd: ['default', 'args'] } },
  { name: NAMED_USER_IMAGE, config: { User: 'edge', Env: ['PATH=/bin', 'KIND=image'], WorkingDir: '/home', StopSignal: 'SIGINT' } },
  { name: NUMBERED_USER_IMAGE, config: { User: '1000' } },
];
