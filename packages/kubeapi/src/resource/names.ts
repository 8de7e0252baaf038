const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** Rule for most object names (DNS subdomain, at most 253). Returns what is wrong, or undefined. */
export function subdomainProblem(name: string): string | undefined {
  if (name.length > 253) return 'must be no more than 253 characters';
  return name.split('.').every((part) => LABEL.test(part))
    ? undefined : `must be lower-case letters, digits, "-" or ".", and begin and end with a letter or digit (was ${JSON.stringify(name)})`;
}

/** Rule for namespaces, containers, services (DNS label, at most 63). */
export function labelProblem(name: string): string | undefined {
  if (name.length > 63) return 'must be no more than 63 characters';
  return LABEL.test(name) ? undefined : `must be lower-case letters, digits or "-", and begin and end with a letter or digit (was ${JSON.stringify(name)})`;
}

/** Rule for names that only have to fit into a path. */
export function pathSegmentProblem(name: string): string | undefined {
  return name === '' || name === '.' || name === '..' || /[/%]/.test(name) ? 'must fit into one path segment: not ".", "..", no "/" or "%"' : undefined;
}

/** Rule for keys of labels, annotations and finalizers: optional DNS prefix and `/`, then a name. */
export function qualifiedNameProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  if (slash >= 0 && subdomainProblem(key.slice(0, slash)) !== undefined) return `prefix of ${JSON.stringify(key)} is not a DNS subdomain`;
  if (name.length > 63 || !QUALIFIED.test(name)) return `${JSON.stringify(key)} is not letters, digits, "-", "_" or "." (at most 63)`;
  return undefined;
}

/** Rule for values of labels: may be empty. */
export function labelValueProblem(value: string): string | undefined {
  return value === '' || (value.length <= 63 && QUALIFIED.test(value)) ? undefined : `${JSON.stringify(value)} is not letters, digits, "-", "_" or "." (at most 63)`;
}
