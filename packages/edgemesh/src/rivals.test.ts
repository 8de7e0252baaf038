import { expect, it } from 'vitest';
import { refuseRivals, rivalsIn } from './rivals.js';

it('[edgemesh-1.4] starts only where nobody else looks after services, and says who does', async () => {
  expect(rivalsIn({ links: ['lo', 'eth0', 'edge-mesh0', 'edge-dummy0'], processes: ['node', 'containerd', 'kubelet'] })).toEqual([]);
  await refuseRivals(() => Promise.resolve({ links: ['lo'], processes: [] }));
  const mesh = refuseRivals(() => Promise.resolve({ links: ['lo', 'edgemesh0'], processes: ['kube-proxy', 'kube-proxy'] }));
  await expect(mesh).rejects.toMatchObject({ code: 'edgemesh.other-mesh', message: expect.stringContaining('EdgeMesh (its link edgemesh0 is there) and kube-proxy (it runs): keep it away from this node, or set edge.edgeMesh.enable to false') as string });
});
