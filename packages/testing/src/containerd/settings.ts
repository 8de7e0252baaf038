import type { ContainerdOptions } from './containerd.js';

/** Where one containerd has its things; nothing of it lies elsewhere. */
export interface ContainerdPlace {
  readonly folder: string;
  readonly number: number;
  /** Name of the bridge, of the network and of the root of control groups. */
  readonly name: string;
}

/** The network's addresses: `10.99.N.`, N being the number of the place. */
export function subnetOf({ number }: ContainerdPlace): string {
  return `10.99.${number}.0/24`;
}

/** Text of containerd's configuration file (version 2: containerd 1.5 to 2.x). */
export function containerdConfig(place: ContainerdPlace, snapshotter: string, options: ContainerdOptions, sandboxImage: string): string {
  const { folder } = place;
  const text = JSON.stringify;
  const runtime = (name: string): string => `
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.${name}.options]
    SystemdCgroup = false
    Root = ${text(`${folder}/runc`)}
`;
  // restrict_oom_score_adj: without CAP_SYS_RESOURCE, as in many containers, a sandbox cannot be given -998.
  return `version = 2
root = ${text(`${folder}/root`)}
state = ${text(`${folder}/state`)}
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = ${text(`${folder}/c.sock`)}
[ttrpc]
  address = ${text(`${folder}/t.sock`)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(sandboxImage)}
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = ${text(`${folder}/cni/net.d`)}
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = ${text(snapshotter)}
  default_runtime_name = "runc"
${['runc', ...(options.runtimeHandlers ?? [])].map(runtime).join('')}`;
}

/** A network of its own: a bridge with an address on the host, so that host and pods reach each other. */
export function cniConfig(place: ContainerdPlace): string {
  const ipam = { type: 'host-local', dataDir: `${place.folder}/cni/data`, ranges: [[{ subnet: subnetOf(place) }]], routes: [{ dst: '0.0.0.0/0' }] };
  return JSON.stringify({
    cniVersion: '0.4.0',
    name: place.name,
    plugins: [{ type: 'bridge', bridge: place.name, isGateway: true, ipMasq: false, hairpinMode: true, ipam }, { type: 'loopback' }],
  });
}
