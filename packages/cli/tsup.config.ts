import { lib } from '../../tools/tsup.base.js';

export default lib({ entry: ['src/index.ts', 'src/main.ts'], splitting: true });
