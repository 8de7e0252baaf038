// The files of a new module package.

/** Path → text. `contract` is the version of the contract packages. */
export function moduleFiles(name, contract) {
  const words = name.split('-');
  const type = words.map((word) => word[0].toUpperCase() + word.slice(1)).join('');
  const value = type[0].toLowerCase() + type.slice(1);
  const json = (data) => `${JSON.stringify(data, undefined, 2)}\n`;
  return {
    'package.json': json({
      name: `@edge/${name}`,
      version: '0.1.0',
      description: `The ${name} module of the edge agent.`,
      license: 'Apache-2.0',
      type: 'module',
      sideEffects: false,
      engines: { node: '>=20.19' },
      exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' }, './package.json': './package.json' },
      files: ['dist'],
      scripts: {
        build: 'tsup',
        typecheck: 'tsc -p tsconfig.json --noEmit',
        lint: 'eslint .',
        test: 'vitest run',
        alone: 'node ../../tools/alone.mjs',
        'package-check': 'node ../../tools/package-check.mjs',
      },
      nx: { tags: ['layer:module', `package:${name}`] },
      peerDependencies: { '@edge/core': `^${contract}`, '@edge/protocol': `^${contract}`, inversify: '^8.2.3' },
      devDependencies: { '@edge/testing': `^${contract}` },
    }),
    'tsconfig.json': json({ extends: '../../tsconfig.base.json', compilerOptions: { noEmit: true }, include: ['src', 'test', 'example'] }),
    'tsup.config.ts': "import { lib } from '../../tools/tsup.base.js';\n\nexport default lib();\n",
    'vitest.config.ts': "export { default } from '../../tools/vitest.base.js';\n",
    'README.md': `# @edge/${name}

The ${name} module of the edge agent.

## What it does

Say it in one sentence. Start reading at \`src/${name}.ts\`, then \`src/routes.ts\`.

## Config

\`modules.${value}\` in \`edgecore.yaml\`:

| key | default | |
|---|---|---|
| \`enable\` | \`true\` | |

## Messages

In: \`query\` of \`default/${name}\`, answered with the text \`hello\`. Out: none.

### Errors

\`${name}.config\`.

## Run it alone

    npx nx run ${name}:alone    # somebody asks for its greeting
    npx nx test ${name}         # its tests, from source

## Versions

Needs \`@edge/core\` and \`@edge/protocol\` ^${contract} and \`inversify\` ^8 as peers. Node.js 20.19, 22, 24.

## Status

New.
`,
    'src/index.ts': `export { ${type}Config } from './config.js';\nexport { ${value} } from './${name}.module.js';\n`,
    'src/config.ts': `import { EdgeError, token, type ConfigSlice } from '@edge/core';

/** The slice \`modules.${value}\` of the configuration. */
export interface ${type}Config {
  /** Whether the module runs. Default true. */
  readonly enable: boolean;
}

export const ${type}Config = token<${type}Config>('${name}', '${type}Config');

/** @throws EdgeError \`${name}.config\` naming the value and what would be right */
function parse(raw: unknown): ${type}Config {
  const { enable = true } = (raw ?? {}) as { enable?: unknown };
  if (typeof enable !== 'boolean') {
    throw new EdgeError('${name}.config', \`enable is \${JSON.stringify(enable)}, it must be true or false\`);
  }
  return { enable };
}

export const config: ConfigSlice<${type}Config> = { path: 'modules.${value}', token: ${type}Config, parse };
`,
    [`src/${name}.ts`]: `import type { Life, Logger, Runnable } from '@edge/core';
import { createResponse, type Message } from '@edge/protocol';

/** The ${name} module: its life is this one promise. */
export class ${type} implements Runnable {
  readonly #log: Logger;

  constructor(deps: { log: Logger }) {
    this.#log = deps.log;
  }

  async run(life: Life): Promise<void> {
    this.#log.info('${name} serves');
    life.ready();
    await new Promise<void>((resolve) => life.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  greet(question: Message): Message {
    return createResponse(question, 'hello');
  }
}
`,
    'src/routes.ts': `import { route, type Route } from '@edge/core';
import { defineKind, Operations } from '@edge/protocol';
import type { ${type} } from './${name}.js';

const queryGreeting = defineKind('queryGreeting', { operation: Operations.query, resource: 'default/${name}' });

/** Messages that this module handles: kind, lane, handler. */
export const routes: readonly Route<${type}>[] = [
  route(queryGreeting, 'queries', (module: ${type}, _body, message) => module.greet(message)),
];
`,
    [`src/${name}.module.ts`]: `import { defineModule, fromPackage, Logger, provide, token, type ModuleDefinition } from '@edge/core';
import manifest from '../package.json' with { type: 'json' };
import { config, type ${type}Config } from './config.js';
import { ${type} } from './${name}.js';
import { routes } from './routes.js';

const Entry = token<${type}>('${name}', '${type}');

/** The module as the agent registers it. */
export const ${value}: ModuleDefinition<${type}, ${type}Config> = defineModule({
  ...fromPackage(manifest),
  name: '${name}',
  wire: { module: '${name}', group: '${name}' },
  config,
  routes,
  entry: Entry,
  bindings: (bind) => provide(bind, Entry, ${type}, { log: Logger }),
});
`,
    'example/alone.ts': `import 'reflect-metadata';
import { createMessage } from '@edge/protocol';
import { printingLogger, printLine, runModule, stayIfAsked } from '@edge/testing';
import { ${value} } from '../src/index.js';

// The module on a bus of its own: somebody asks for its greeting.
const module = await runModule(${value}, { log: printingLogger() });
const question = createMessage({ source: 'example', group: '${name}', operation: 'query', resource: 'default/${name}' });
const { content } = await module.core.bus.request({ module: '${name}' }, question);
printLine(\`${name} answers: \${String(content)}\`);

await stayIfAsked();
await module.stop();
`,
    [`test/${name}.contract.test.ts`]: `import { describeModule, runModule } from '@edge/testing';
import { createMessage } from '@edge/protocol';
import { expect, it } from 'vitest';
import { ${value} } from '../src/index.js';

describeModule(${value}, async () => ({}));

it('[${name}-1.1] answers a question for its greeting', async () => {
  await using running = await runModule(${value});
  const question = createMessage({ source: 'test', group: '${name}', operation: 'query', resource: 'default/${name}' });
  const answer = await running.bus.bus.request({ module: '${name}' }, question);
  expect(answer.content).toBe('hello');
});
`,
  };
}
