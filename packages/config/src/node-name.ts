const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** Kubernetes' rule for node names: a lower-case DNS subdomain of at most 253 characters. */
export function isNodeName(name: string): boolean {
  return name.length <= 253 && SUBDOMAIN.test(name);
}
