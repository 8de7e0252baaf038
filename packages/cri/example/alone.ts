import { createCriRuntime, findRuntime } from '../src/index.js';

/** Lists the pods of a container runtime: the one at the socket given, or the first that is found. */
const { endpoint, version } = await findRuntime(process.argv[2]);
await using runtime = await createCriRuntime({ endpoint });
const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);

process.stdout.write(`${version.name} ${version.version} at ${endpoint}\n`);
for (const { id, metadata, state } of sandboxes) {
  process.stdout.write(`${metadata.namespace}/${metadata.name}  ${state}\n`);
  for (const container of containers.filter(({ sandboxId }) => sandboxId === id)) {
    process.stdout.write(`    ${container.metadata.name}  attempt ${container.metadata.attempt}  ${container.state}\n`);
  }
}
