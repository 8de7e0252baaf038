/** What all parts of the drift test agree on; also imported by the mapper's process. */

/** Devices with a mapper, and devices whose programs talk MQTT. */
export type Kind = 'mapped' | 'mqtt';

export const PROPERTIES = ['p0', 'p1', 'p2', 'p3', 'p4'] as const;
/** The property of mapped devices that the cloud sets. */
export const TARGET = 'target';
export const PROTOCOL = 'drift';

/** The world's settings as the mapper's process gets them. */
export interface WorldSettings {
  readonly edgeCoreSocket: string;
  readonly socketPath: string;
  /** Holds `frozen` (Unix ms as text) once nothing changes any more, and a file per device with what was written to it. */
  readonly folder: string;
  /** Milliseconds between two values of a property. */
  readonly tickMs: number;
}

/** What a property of the real device is at that time: always moving, until the world is frozen. */
export function valueAt(device: string, property: string, now: number, tickMs: number): number {
  const own = [...`${device} ${property}`].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 997, 7);
  return (Math.floor(now / tickMs) % 1_000_000) * 1000 + own;
}
