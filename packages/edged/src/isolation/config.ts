import type { CgroupDriver } from '@edge/core';
import type { DnsSettings } from './dns.js';
import type { ResourceSettings } from './machine.js';
import type { ReservationSettings } from './reservations.js';

/** What of the configuration concerns isolation. */
export interface IsolationConfig {
  readonly cgroupDriver: CgroupDriver;
  readonly cgroupRoot: string;
  readonly cgroupsPerQos: boolean;
  readonly failCgroupV1: boolean;
  /** Most processes of a pod; 0 or less: no limit. */
  readonly podPidsLimit: number;
  readonly limits: Omit<ResourceSettings, 'singleProcessOomKill'>;
  /** Undefined: as the version of control groups does it by itself. */
  readonly singleProcessOomKill: boolean | undefined;
  readonly reservations: ReservationSettings;
  readonly seccompDefault: boolean;
  readonly dns: DnsSettings;
  readonly allowedUnsafeSysctls: readonly string[];
}
