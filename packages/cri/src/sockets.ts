/** Where container runtimes listen, in the order in which they are tried. */
export const runtimeSockets: readonly string[] = ['/run/containerd/containerd.sock', '/run/crio/crio.sock', '/var/run/cri-dockerd.sock'];
