import { lib } from '../../tools/tsup.base.js';

export default lib({ splitting: true });
