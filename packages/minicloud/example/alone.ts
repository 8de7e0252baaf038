import { startMinicloud } from '../src/index.js';

/** Starts a cloud in the folder given (or `./minicloud-data`) and runs until Ctrl-C. */
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

await using cloud = await startMinicloud({ dataDir: process.argv[2] ?? 'minicloud-data' });
process.stdout.write(`API         ${cloud.url}
kubectl     kubectl --kubeconfig ${cloud.kubeconfigPath} get nodes
edgeHub     httpServer: https://${cloud.httpsAddress}, websocket.server: ${cloud.hubAddress}
join token  ${cloud.token()}
`);
const alive = setInterval(() => undefined, 60_000);
await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve(), { once: true }));
clearInterval(alive);
