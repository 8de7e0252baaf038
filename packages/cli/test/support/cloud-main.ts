import { createWriteStream } from 'node:fs';
import { createKlog } from '../../src/log/klog.js';
import { startMinicloud, type MinicloudOptions } from '@edge/minicloud';

// A cloud as a process of its own, so that a test can end it without warning. Says where it is on one line of JSON.
const options = JSON.parse(process.argv[2] ?? '{}') as MinicloudOptions;
const file = createWriteStream(`${options.dataDir}.log`, { flags: 'a' });
const cloud = await startMinicloud({ ...options, log: createKlog(file, { level: 0, patterns: [] }) });
const { url, hubAddress, httpsAddress, kubeconfigPath } = cloud;
process.stdout.write(`${JSON.stringify({ url, hubAddress, httpsAddress, kubeconfigPath, token: cloud.token() })}\n`);
process.on('SIGTERM', () => void cloud.close().then(() => process.exit(0)));
