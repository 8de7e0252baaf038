import type { DBMethod } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { pause, within } from '../time.js';
import { loadLibrary, type LoadLibrary } from './client-library.js';
import { dataModel, PUSH_MS, withoutSecrets, type PushTarget, type Secrets } from './push-target.js';

/** What is used of the package `redis`. */
interface RedisLibrary {
  createClient(options: unknown): RedisClient;
}
interface RedisClient {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  readonly isReady: boolean;
  connect(): Promise<unknown>;
  zAdd(key: string, member: { score: number; value: string }): Promise<unknown>;
  destroy(): void;
}

/** How often it is looked whether the connection stands. */
const LOOK_MS = 50;

/** A member of the sorted set named after the device, its score the time. Package `redis`; secret PASSWORD. */
export function redisTarget({ redisClientConfig: config }: NonNullable<DBMethod['redis']>, secrets: Secrets, load: LoadLibrary = loadLibrary): PushTarget {
  if (!config) throw new MapperError(MapperErrors.pushFailed, 'redis needs redisClientConfig');
  let client: Promise<RedisClient> | undefined;
  let lastError: unknown;
  const open = async (): Promise<RedisClient> => {
    const { createClient } = (await load('redis')) as RedisLibrary;
    const made = createClient({
      url: config.addr.includes('://') ? config.addr : `redis://${config.addr}`,
      database: config.db,
      ...(secrets['PASSWORD'] === undefined ? {} : { password: secrets['PASSWORD'] }),
      // Commands fail while the server is away, instead of piling up.
      disableOfflineQueue: true,
    });
    made.on('error', (error) => (lastError = error));
    // Goes on trying by itself, for ever: nobody waits for it.
    made.connect().catch((error: unknown) => (lastError = error));
    return made;
  };
  return {
    async push(value, signal) {
      const late = (): MapperError => new MapperError(MapperErrors.pushFailed, `redis ${withoutSecrets(config.addr)} does not answer within ${PUSH_MS} ms`, { cause: lastError });
      await within(async (waits) => {
        const made = await (client ??= open());
        while (!made.isReady && !waits.aborted) await pause(LOOK_MS, waits);
        await made.zAdd(value.device, { score: value.at, value: JSON.stringify(dataModel(value)) });
      }, PUSH_MS, signal, late).catch((error: unknown) => {
        throw error instanceof MapperError ? error : new MapperError(MapperErrors.pushFailed, `redis ${withoutSecrets(config.addr)}`, { cause: error });
      });
    },
    async close() {
      await client?.then((made) => made.destroy(), () => undefined);
    },
  };
}
