import manifest from '../package.json' with { type: 'json' };

/** The KubeEdge release whose files, messages and behaviour this agent follows; the cloud sees it in `kubeletVersion`. */
export const KUBEEDGE_VERSION = 'v1.23.1';

/** Version of this package. */
export const AGENT_VERSION: string = manifest.version;

/** What `--version` prints: upstream's words and form, then what this really is. */
export function versionText(): string {
  return `KubeEdge ${KUBEEDGE_VERSION} (@edge/cli ${AGENT_VERSION}, Node.js ${process.versions.node})`;
}
