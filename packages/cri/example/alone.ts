import { printLine, stayIfAsked } from '@edge/testing';
import { createCriRuntime, findRuntime } from '../src/index.js';
import { Container, ContainerState, PodSandbox } from '../src/generated/api.js';
import { containerd2, ScriptedRuntime } from '../test/scripted-runtime.js';

// Lists the pods of a container runtime: of the one at the socket given (`npm run alone -- /run/…`), or of
// one that is played.
const given = process.argv[2]?.startsWith('-') ? undefined : process.argv[2];
const nothing = new Uint8Array();
await using played = given === undefined ? await ScriptedRuntime.start({
  ...containerd2,
  listPodSandbox: () => ({ items: [{ ...PodSandbox.decode(nothing), id: 's1', metadata: { name: 'web', uid: 'u1', namespace: 'default', attempt: 0 } }] }),
  listContainers: () => ({ containers: [{ ...Container.decode(nothing), id: 'c1', podSandboxId: 's1', metadata: { name: 'app', attempt: 2 }, state: ContainerState.CONTAINER_RUNNING }] }),
}) : undefined;

const { endpoint, version } = await findRuntime(given ?? played?.socket);
await using runtime = await createCriRuntime({ endpoint });
printLine(`${version.name} ${version.version} at ${endpoint}`);
const [sandboxes, containers] = await Promise.all([runtime.listPodSandboxes(), runtime.listContainers()]);
for (const { id, metadata, state } of sandboxes) {
  printLine(`${metadata.namespace}/${metadata.name}  ${state}`);
  for (const container of containers.filter(({ sandboxId }) => sandboxId === id)) {
    printLine(`    ${container.metadata.name}  attempt ${container.metadata.attempt}  ${container.state}`);
  }
}
const refused = await runtime.stopPodSandbox('s9').catch((error: Error) => error.message);
printLine(`asked to stop a pod that is not there: ${String(refused)}`);
await stayIfAsked();
