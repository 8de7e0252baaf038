import { lib } from '../../tools/tsup.base.js';
import { workerCode } from '../../tools/worker-code.mjs';

export default lib({ splitting: true, esbuildPlugins: [workerCode()] });
