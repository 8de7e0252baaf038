/** RFC 3339 in UTC with whole seconds, as Kubernetes stores times. */
export function seconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 in UTC with six digits of fraction, the form of a lease's `renewTime`. */
export function micros(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 23)}000Z`;
}
