import { describeModule, ownLoopback } from '@edge/testing';
import { edgemesh } from '../src/index.js';
import { FakeFeed } from './fake-feed.js';

describeModule(edgemesh, async () => ({ config: { edge: { edgeMesh: { enable: true, address: ownLoopback(), dns: { port: 0 }, proxy: { enable: false } } } }, neighbours: (bus) => new FakeFeed().play(bus) }));
