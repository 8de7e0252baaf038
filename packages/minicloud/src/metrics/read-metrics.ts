import type { NodeTunnels } from '../tunnel/node-tunnels.js';

/** A node with a thousand containers says less. */
const LONGEST = 8 * 1024 * 1024;

/**
 * Text of a node's `/metrics/resource`, asked for as CloudCore asks for metrics-server. The way of measurements brings no status: what
 * comes of a refusal is a text without measurements.
 * @throws ApiError ServiceUnavailable when the node has no tunnel
 */
export async function readResourceMetrics(tunnels: NodeTunnels, node: string, signal: AbortSignal): Promise<string> {
  const session = tunnels.open(node, 'metrics', {
    method: 'GET', path: '/metrics/resource', query: '', headers: { Accept: ['text/plain;version=0.0.4'], 'Accept-Encoding': ['identity'], 'User-Agent': ['metrics-server'] },
  });
  const cut = (): void => void session.destroy(new Error(`node "${node}" did not answer in time`));
  signal.addEventListener('abort', cut, { once: true });
  try {
    let text = '';
    for await (const part of session) {
      text += String(part);
      if (text.length > LONGEST) throw new Error(`node "${node}" says more than ${LONGEST} bytes of its measurements`);
    }
    return text;
  } finally {
    signal.removeEventListener('abort', cut);
    session.destroy();
  }
}
