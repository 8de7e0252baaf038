/**
 * Milliseconds for pauses and ages. Runs on evenly from the agent's start, while clocks of edge devices jump by days
 * when they first hear the time. Not for what others read.
 */
export const steadyNow = (): number => performance.timeOrigin + performance.now();
