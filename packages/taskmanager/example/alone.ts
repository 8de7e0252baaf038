import 'reflect-metadata';
import { brief, eventually, printLine, stayIfAsked } from '@edge/testing';
import { Node } from '../test/scene.js';

// Two jobs of the cloud: images are pulled before they are needed, then the node is upgraded. Cloud, metamanager, edged and
// the installation of the node are played.
const node = new Node();
node.pull = ({ image }) => (image.includes('missing') ? `no such image: ${image}` : undefined);
const agent = await node.start();
let shown = 0;
const show = async (action: string, job: string): Promise<void> => {
  await agent.action(action, job);
  for (const report of node.reports.slice(shown)) printLine(`to cloud: ${brief(report)} ${JSON.stringify(report.content)}`);
  shown = node.reports.length;
};

printLine('cloud: pull two images');
await agent.job('imageprepulljob', { imagePrePullTemplate: { images: ['shop/web:2', 'shop/missing:1'], checkItems: [], retryTimes: 0 } }, { job: 'pull-1' });
await show('Check', 'pull-1');
await show('Pull', 'pull-1');
for (const pull of node.pulls) printLine(`to edged: pull ${JSON.stringify(pull)}`);

printLine('cloud: upgrade to v1.23.2');
await agent.job('nodeupgradejob', { version: 'v1.23.2', image: 'kubeedge/installation-package', checkItems: [], requireConfirmation: false }, { job: 'upgrade-1' });
await show('Check', 'upgrade-1');
await eventually(async () => (node.installation.orders.length > 0 ? true : undefined), 'the upgrade is handed over');
printLine(`to the installation: prepare ${JSON.stringify(node.installation.prepared)}, then ${node.installation.orders.join(', ')}`);

await stayIfAsked();
await agent.running.stop();
