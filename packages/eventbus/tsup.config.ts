import { lib } from '../../tools/tsup.base.js';

export default lib({ embed: ['mqtt', 'mqtt-packet'] });
