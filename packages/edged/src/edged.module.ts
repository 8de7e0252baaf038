import { CloudLink, defineModule, fromPackage, Logger, MessageBus, NodeIdentity, provide, provideValue, token, type ModuleDefinition } from '@edge/core';
import { Groups, Modules } from '@edge/protocol';
import manifest from '../package.json' with { type: 'json' };
import { EdgedConfig, parseEdgedConfig } from './config.js';
import { Edged } from './edged.js';
import { routes } from './routes.js';
import { openConfiguredRuntime, type OpenRuntime } from './runtime/open-runtime.js';

const Entry = token<Edged>('edged', 'Edged');
const Opener = token<OpenRuntime>('edged', 'OpenRuntime');

/**
 * The module with a container runtime of one's choice.
 * @param openRuntime how the runtime is opened at each start of the module; the one that `edge.runtime` names unless given
 */
export function createEdged(openRuntime: OpenRuntime = openConfiguredRuntime): ModuleDefinition<Edged, EdgedConfig> {
  return defineModule<Edged, EdgedConfig>({
    ...fromPackage(manifest),
    name: 'edged',
    wire: { module: Modules.edged, group: Groups.edged },
    config: { path: 'modules.edged', token: EdgedConfig, parse: parseEdgedConfig },
    after: ['metamanager'],
    routes,
    // Only a shutdown of the whole machine takes so long.
    extraStopMs: ({ shutdown }) => shutdown.reduce((sum, { seconds }) => sum + seconds * 1000, 0),
    entry: Entry,
    bindings: (bind) => {
      provideValue(bind, Opener, openRuntime);
      provide(bind, Entry, Edged, { bus: MessageBus, link: CloudLink, identity: NodeIdentity, config: EdgedConfig, openRuntime: Opener, log: Logger });
    },
  });
}

/** The module as the agent runs it. */
export const edged: ModuleDefinition<Edged, EdgedConfig> = createEdged();
