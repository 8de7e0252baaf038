import { lib } from '../../tools/tsup.base.js';

export default lib({ entry: { index: 'src/index.ts', testing: 'src/testing/index.ts' } });
