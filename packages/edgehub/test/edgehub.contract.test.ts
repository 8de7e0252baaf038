import { createTestCa, describeModule } from '@edge/testing';
import { edgehub } from '../src/edgehub.module.js';
import { FakeCloud } from './fake-cloud.js';
import { scene } from './scene.js';

describeModule(edgehub, async () => {
  const ca = await createTestCa();
  const cloud = await FakeCloud.start(ca);
  const place = await scene({ hubPort: cloud.hubPort, pair: { ca } });
  return {
    ...place.options,
    dispose: async () => {
      await cloud[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
});
