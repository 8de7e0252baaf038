import { createMemoryStore, describeModule } from '@edge/testing';
import { NodeInstallation, taskmanager } from '../src/index.js';
import { FakeInstallation } from './fake-installation.js';

describeModule(taskmanager, async () => ({
  config: { modules: { taskManager: { enable: true } } },
  store: createMemoryStore(),
  platform: (bind) => void bind(NodeInstallation).toConstantValue(new FakeInstallation()),
}));
