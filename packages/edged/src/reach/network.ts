import { checkGrpcHealth } from './grpc.js';
import { httpGet } from './http.js';
import type { Reach } from './reach.js';
import { connectTcp } from './tcp.js';

/** The way over the machine's network. */
export const network: Reach = { http: httpGet, tcp: connectTcp, grpc: checkGrpcHealth };
