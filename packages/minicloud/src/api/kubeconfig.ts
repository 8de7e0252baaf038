import { stringify } from 'yaml';
import { writeDurably } from '../ca/authority.js';

/** What a kubeconfig is made of. */
export interface KubeconfigParts {
  /** URL of the API. */
  readonly server: string;
  readonly authorityPem: string;
  readonly token: string;
}

/** A kubeconfig with one cluster, one user and one context, all called `minicloud`. */
function kubeconfigText({ server, authorityPem, token }: KubeconfigParts): string {
  const name = 'minicloud';
  return stringify({
    apiVersion: 'v1', kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(authorityPem).toString('base64') } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace: 'default' } }],
    'current-context': name,
  }, { lineWidth: 0 });
}

/** Writes it for the owner alone: it holds the administrator's token. */
export function writeKubeconfig(path: string, parts: KubeconfigParts): Promise<void> {
  return writeDurably(path, kubeconfigText(parts), 0o600);
}
