/** Host and port as they stand in a URL or a configuration file: `192.0.2.2:10000`, `[fd00::2]:10000`. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
