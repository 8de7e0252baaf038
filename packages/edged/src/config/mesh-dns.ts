import { tree, type Tree } from './reader.js';

const ADDRESS = '169.254.96.17';
const PORT = 53;

/** Where pods ask for names when `clusterDNS` does not say: the node's own mesh, where it answers on the port that resolvers know. */
export function meshDns(root: Tree): readonly string[] {
  const mesh = tree(tree(root['edge'], 'edge')['edgeMesh'], 'edge.edgeMesh');
  const dns = tree(mesh['dns'], 'edge.edgeMesh.dns');
  if (mesh['enable'] !== true || dns['enable'] === false || (dns['port'] ?? PORT) !== PORT) return [];
  return [String(mesh['address'] ?? ADDRESS)];
}
