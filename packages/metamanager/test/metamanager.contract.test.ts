import { createMemoryStore, describeModule } from '@edge/testing';
import { metamanager } from '../src/index.js';

describeModule(metamanager, async () => ({ store: createMemoryStore() }));
