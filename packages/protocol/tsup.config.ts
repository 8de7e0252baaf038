import { lib } from '../../tools/tsup.base.js';

export default lib({ entry: { index: 'src/index.ts', dmi: 'src/dmi/index.ts' } });
