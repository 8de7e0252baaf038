/** What was found on the way of logs and commands. */
export interface WayFacts {
  /** Why there is no tunnel; undefined: it is open. */
  readonly tunnel: string | undefined;
  /** What is wrong with the node's kubelet API; undefined: it answers. */
  readonly kubelet: string | undefined;
  readonly ownPort?: number;
  /** The port that the Node names, which is the one that the API server calls. */
  readonly namedPort?: number;
}

/** The outcome in words for people, without anything that changes by itself. */
export interface Outcome {
  readonly well: boolean;
  readonly text: string;
}

/** What to say about the way. Pure. */
export function outcomeOf({ tunnel, kubelet, ownPort, namedPort }: WayFacts): Outcome {
  if (tunnel !== undefined) return { well: false, text: `failed: no tunnel to the cloud: ${tunnel}` };
  if (kubelet !== undefined) return { well: false, text: `failed: the tunnel is open, but the node's kubelet API does not serve: ${kubelet}` };
  if (namedPort === undefined || ownPort === undefined) return { well: true, text: 'ok: the tunnel is open, the kubelet API answers' };
  if (namedPort !== ownPort) return { well: true, text: `ok: the tunnel is open, the kubelet API answers, the API server calls port ${namedPort}` };
  // Not a failure for sure: a cloud may end tunnels in the API server itself, as the small one of `edgecore dev`.
  return {
    well: true,
    text: `ok as far as this node sees: the tunnel is open, the kubelet API answers; the Node names the node's own port ${ownPort}, which CloudCore changes to its tunnel's (10351 and up): if kubectl logs fails, look at CloudCore's right to update nodes/status and at the rule on the API server's host that leads to CloudStream's port 10003`,
  };
}
