/**
 * An address of this machine that nobody else uses: agents of several tests run at the same time, each with the usual port.
 * Linux answers for all of 127.0.0.0/8.
 */
export function ownLoopback(): string {
  return `127.${[0, 0, 0].map(() => 1 + Math.floor(Math.random() * 250)).join('.')}`;
}
