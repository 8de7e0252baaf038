import { tree, type Tree } from './reader.js';

const PATH = 'modules.metaManager.metaServer';
const DEFAULT = '169.254.30.10:10550';

/** Where pods find the Kubernetes API of their node. */
export interface LocalApi {
  readonly host: string;
  readonly port: string;
}

/** The address for pods, when metaserver serves one: it is on and asks who is there. Undefined otherwise, as upstream. */
export function localApiForPods(root: Tree): LocalApi | undefined {
  const metaServer = tree(tree(tree(root['modules'], 'modules')['metaManager'], 'modules.metaManager')['metaServer'], PATH);
  const gates = tree(root['featureGates'], 'featureGates');
  if (metaServer['enable'] !== true || gates['requireAuthorization'] !== true) return undefined;
  const address = String(metaServer['dummyServer'] ?? DEFAULT);
  // Whether it is an address at all is metaserver's to say.
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ''), port: address.slice(colon + 1) };
}
