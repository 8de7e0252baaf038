import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { provideValue, type Store } from '@edge/core';
import { createMemoryStore, runModule, testIdentity, type RunModuleOptions, type RunningModule, type TestCa, type Validity } from '@edge/testing';
import type { EdgeHub } from '../src/edgehub.js';
import { edgehub } from '../src/edgehub.module.js';
import { TokenStore } from '../src/tokens.js';

export const NODE = 'edge-1';

export interface SceneOptions {
  readonly hubPort: number;
  readonly httpsPort?: number;
  readonly token?: string;
  /** Certificates that lie there already. */
  readonly pair?: { readonly ca: TestCa; readonly node?: string; readonly validity?: Validity };
  /** Members of `modules.edgeHub`. */
  readonly hub?: Readonly<Record<string, unknown>>;
  readonly outbox?: Readonly<Record<string, unknown>>;
  readonly store?: Store;
  readonly host?: string;
  /** The node's name; `edge-1` unless given. */
  readonly node?: string;
  readonly neighbours?: RunModuleOptions['neighbours'];
  readonly readToken?: () => string;
}

/** A folder with certificates and the options to run the module in it. */
export interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly store: Store;
  readonly options: RunModuleOptions;
  /** How often the token was to be forgotten. */
  readonly forgotten: { times: number };
  run(): Promise<RunningModule>;
}

export async function scene(options: SceneOptions): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'edgehub-'));
  const host = options.host ?? '127.0.0.1';
  const paths = { tlsCaFile: join(folder, 'ca', 'rootCA.crt'), tlsCertFile: join(folder, 'certs', 'server.crt'), tlsPrivateKeyFile: join(folder, 'certs', 'server.key') };
  if (options.pair) {
    const { certificate, privateKey } = await options.pair.ca.node(options.pair.node ?? NODE, options.pair.validity);
    await Promise.all([mkdir(join(folder, 'ca')), mkdir(join(folder, 'certs'))]);
    await writeFile(paths.tlsCaFile, options.pair.ca.certificate);
    await writeFile(paths.tlsCertFile, certificate);
    await writeFile(paths.tlsPrivateKeyFile, privateKey);
  }
  const forgotten = { times: 0 };
  const tokens: TokenStore = {
    forgetToken: () => {
      forgotten.times += 1;
      return Promise.resolve();
    },
    ...(options.readToken ? { readToken: () => Promise.resolve(options.readToken?.() ?? '') } : {}),
  };
  const store = options.store ?? createMemoryStore();
  const runOptions: RunModuleOptions = {
    config: {
      modules: {
        edgeHub: {
          ...paths,
          token: options.token ?? '',
          httpServer: `https://${host}:${options.httpsPort ?? 1}`,
          websocket: { enable: true, server: `${host}:${options.hubPort}` },
          messageQPS: 0,
          ...options.hub,
        },
      },
      edge: { outbox: options.outbox ?? {} },
    },
    store,
    identity: testIdentity(options.node ?? NODE),
    platform: (bind) => provideValue(bind, TokenStore, tokens),
    ...(options.neighbours ? { neighbours: options.neighbours } : {}),
  };
  return {
    folder,
    store,
    options: runOptions,
    forgotten,
    run: () => runModule<EdgeHub, unknown>(edgehub as never, runOptions),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
