import { describeModule } from '@edge/testing';
import { edgemesh } from '../src/index.js';
import { FakeFeed } from './fake-feed.js';

describeModule(edgemesh, async () => ({ config: { edge: { edgeMesh: { enable: true, proxy: { enable: false } } } }, neighbours: (bus) => new FakeFeed().play(bus) }));
