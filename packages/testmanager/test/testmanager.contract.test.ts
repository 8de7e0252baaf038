import { describeModule, freePort } from '@edge/testing';
import { testmanager } from '../src/index.js';

describeModule(testmanager, async () => ({ config: { modules: { dbTest: { enable: true } }, edge: { testManager: { port: await freePort() } } } }));
