/**
 * Topics of MQTT in resources: on the way from the broker to the device twin a topic travels as base64url with padding,
 * on the way back as it is. Source: KubeEdge v1.23.
 */

/** The resource that carries a topic. */
export function topicResource(topic: string): string {
  const text = Buffer.from(topic).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/** The topic in a resource; undefined when the resource carries none. */
export function resourceTopic(resource: string): string | undefined {
  if (!/^[\w-]+={0,2}$/.test(resource)) return undefined;
  return Buffer.from(resource, 'base64url').toString();
}
