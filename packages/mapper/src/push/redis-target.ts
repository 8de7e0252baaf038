import type { DBMethod } from '@edge/protocol/dmi';
import { MapperError, MapperErrors } from '../errors.js';
import { loadLibrary, type LoadLibrary } from './client-library.js';
import { dataModel, type PushTarget, type Secrets } from './push-target.js';

/** What is used of the package `redis`. */
interface RedisLibrary {
  createClient(options: unknown): RedisClient;
}
interface RedisClient {
  on(event: 'error', listener: () => void): unknown;
  connect(): Promise<unknown>;
  zAdd(key: string, member: { score: number; value: string }): Promise<unknown>;
  destroy(): void;
}

/** A member of the sorted set named after the device, its score the time. Package `redis`; secret PASSWORD. */
export function redisTarget({ redisClientConfig: config }: NonNullable<DBMethod['redis']>, secrets: Secrets, load: LoadLibrary = loadLibrary): PushTarget {
  if (!config) throw new MapperError(MapperErrors.pushFailed, 'redis needs redisClientConfig');
  let client: Promise<RedisClient> | undefined;
  const open = async (): Promise<RedisClient> => {
    const { createClient } = (await load('redis')) as RedisLibrary;
    const made = createClient({
      url: config.addr.includes('://') ? config.addr : `redis://${config.addr}`,
      database: config.db,
      ...(secrets['PASSWORD'] === undefined ? {} : { password: secrets['PASSWORD'] }),
      // Commands fail while the server is away, instead of piling up.
      disableOfflineQueue: true,
    });
    made.on('error', () => undefined);
    await made.connect();
    return made;
  };
  return {
    async push(value) {
      client ??= open();
      try {
        await (await client).zAdd(value.device, { score: value.at, value: JSON.stringify(dataModel(value)) });
      } catch (error) {
        if (error instanceof MapperError) throw error;
        throw new MapperError(MapperErrors.pushFailed, `redis ${config.addr}`, { cause: error });
      }
    },
    async close() {
      await client?.then((made) => made.destroy(), () => undefined);
    },
  };
}
