const LARGEST = 1024;
/** Messages a second that the window is made for when the throttle sets no lower rate. */
const AIM = 100_000;

/**
 * How many ordered messages may be under way without confirmation. Each of them may arrive twice when the link is cut,
 * so it is no more than the rate needs on a line of that round trip: one on a local network, some hundred on a satellite.
 */
export function windowSize(messageQPS: number, leastRoundTripMs: number | undefined): number {
  const rate = messageQPS === 0 ? AIM : Math.min(messageQPS, AIM);
  return Math.max(1, Math.min(LARGEST, Math.floor((rate * (leastRoundTripMs ?? 0)) / 1000)));
}
