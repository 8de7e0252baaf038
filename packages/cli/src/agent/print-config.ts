import { printDefaultConfig, printMinConfig } from '@edge/config';
import { gatherHostFacts } from '@edge/envcheck';

/** What `--minconfig` and `--defaultconfig` print. */
export async function printConfig(which: 'min' | 'default'): Promise<string> {
  const host = await gatherHostFacts();
  return which === 'min' ? printMinConfig(host) : printDefaultConfig(host);
}
