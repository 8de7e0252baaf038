import { lib } from '../../tools/tsup.base.js';

export default lib({ embed: ['@grpc/grpc-js'] });
