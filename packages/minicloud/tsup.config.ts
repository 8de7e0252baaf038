import { lib } from '../../tools/tsup.base.js';

export default lib({ embed: ['@peculiar/x509'] });
