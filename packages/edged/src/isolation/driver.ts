import type { CgroupDriver } from '@edge/core';

export interface DriverChoice {
  readonly driver: CgroupDriver;
  /** What is wrong with the configuration and how to mend it; undefined when all is well. */
  readonly advice?: string;
}

const KEY = 'modules.edged.tailoredKubeletConfig.cgroupDriver';

/** The runtime's word counts: pods can only run where both sides name control groups alike. Pure. */
export function chooseDriver(configured: CgroupDriver, ofRuntime: CgroupDriver | undefined): DriverChoice {
  if (ofRuntime === undefined || ofRuntime === configured) return { driver: configured };
  return {
    driver: ofRuntime,
    advice: `the container runtime manages control groups by ${ofRuntime}, ${KEY} says ${configured}: ${ofRuntime} is used; set ${KEY} to ${ofRuntime}`,
  };
}

/** What is missing in the kernel, with the way to get it; undefined when all is there. Pods run all the same, without those limits. */
export function missingControllers(controllers: ReadonlySet<string>): string | undefined {
  const missing = ['cpu', 'cpuset', 'memory', 'pids'].filter((one) => !controllers.has(one));
  if (missing.length === 0) return undefined;
  const memory = missing.includes('memory')
    ? '; memory is often off on small boards: append "cgroup_enable=memory cgroup_memory=1" to the kernel command line (/boot/cmdline.txt or /boot/firmware/cmdline.txt) and reboot'
    : '';
  return `the kernel offers no control group controller ${missing.join(', ')}, so pods run without these limits${memory}`;
}

/** Words for a failure of the runtime that has its cause in different drivers; undefined for any other failure. */
export function driverMismatch(failure: string, driver: CgroupDriver): string | undefined {
  if (!/slice:prefix:name|is not a valid slice|invalid slice name/i.test(failure)) return undefined;
  const other: CgroupDriver = driver === 'systemd' ? 'cgroupfs' : 'systemd';
  return `the container runtime manages control groups by ${other} and the agent by ${driver}: set ${KEY} to ${other}`;
}
