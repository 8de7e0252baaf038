// The texts of the Debian package.

/** The agent in one file. */
export const PROGRAM = '/usr/lib/edgecore/edgecore.mjs';
/** The service. */
export const UNIT = '/usr/lib/systemd/system/edgecore.service';
/** What the package neither brings nor takes away. */
const KEPT = ['/etc/kubeedge', '/var/lib/kubeedge'];

const ARCHITECTURES = { 'linux-x64-gnu': 'amd64', 'linux-arm64-gnu': 'arm64', 'linux-arm-gnueabihf': 'armhf', node: 'all' };

/** Names of SQLite libraries (`layProgram`) that a package can be made with. */
export const sqliteChoices = Object.keys(ARCHITECTURES);

export function architectureOf(sqlite) {
  return ARCHITECTURES[sqlite];
}

/** A pre-release comes before its release: Debian writes that with a tilde. */
export function debianVersion(version) {
  return version.replace('-', '~');
}

export function control({ version, sqlite, maintainer, kibibytes }) {
  // Without the library beside it Node.js has to have a SQLite of its own.
  const node = sqlite === 'node' ? '22.13' : '20.19';
  return `Package: edgecore
Version: ${debianVersion(version)}
Architecture: ${architectureOf(sqlite)}
Maintainer: ${maintainer}
Installed-Size: ${kibibytes}
Depends: nodejs (>= ${node})
Recommends: iproute2, mount, procps
Suggests: containerd, mosquitto, nftables
Section: admin
Priority: optional
Description: agent of a KubeEdge edge node
 EdgeCore joins a node to a KubeEdge cloud, runs the pods that the cloud
 assigns to it, and goes on when the link is down. This is EdgeCore on
 Node.js, with the configuration file, certificates, messages and database
 file of KubeEdge's own agent.
 .
 "edgecore join" writes the configuration; the service starts when it is there.
`;
}

/** @param flags of V8; environment: variables with their values */
export function launcher({ flags, environment }) {
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}="\${${name}:-${value}}"\n`);
  return `#!/bin/sh
# Starts EdgeCore; settings are in /etc/default/edgecore.
[ ! -r /etc/default/edgecore ] || . /etc/default/edgecore
${variables.join('')}export EDGECORE_COMMAND=edgecore
# Words, not one word.
# shellcheck disable=SC2086
exec "\${EDGECORE_NODE:-/usr/bin/node}" ${flags.join(' ')} \${EDGECORE_NODE_FLAGS-} ${PROGRAM} "$@"
`;
}

export const defaults = `# Settings of the program edgecore, read by /usr/bin/edgecore. The agent's configuration is /etc/kubeedge/config/edgecore.yaml.

# The Node.js that runs it.
#EDGECORE_NODE=/usr/bin/node

# Flags for Node.js, such as --max-old-space-size=256 for a node with hundreds of pods.
#EDGECORE_NODE_FLAGS=
`;

/** The unit of "edgecore install", which does not start before there is a configuration. */
export function unitOfPackage(unit) {
  return unit.replace('[Service]\n', `ConditionPathExists=/etc/kubeedge/config/edgecore.yaml\n\n[Service]\n`).replace('\n\nCondition', '\nCondition');
}

// A unit of that name in /etc (of "edgecore install", or of KubeEdge's own agent) comes before that of the package, and is not touched.
const IS_OURS = `ours() {
  command -v systemctl >/dev/null && [ ! -e /etc/systemd/system/edgecore.service ]
}
`;

export const postinst = `#!/bin/sh
set -e
${IS_OURS}
if [ "$1" = configure ]; then
  if ours; then
    systemctl enable edgecore.service >/dev/null 2>&1 || echo "edgecore: the service could not be enabled" >&2
    if [ -d /run/systemd/system ]; then
      systemctl daemon-reload
      # Pods go on over a restart. Without a configuration nothing is started.
      systemctl restart --no-block edgecore.service || echo "edgecore: the service could not be started; systemctl status edgecore says why" >&2
    fi
  fi
  if [ ! -e /etc/kubeedge/config/edgecore.yaml ]; then
    echo "edgecore: this node has no configuration yet. Join it: edgecore join --cloudcore-ipport <host:port> --token <token>"
    echo "edgecore: then start it: systemctl start edgecore"
  fi
fi
exit 0
`;

export const prerm = `#!/bin/sh
set -e
${IS_OURS}
if [ "$1" = remove ] && ours; then
  [ ! -d /run/systemd/system ] || systemctl stop edgecore.service
  systemctl disable edgecore.service >/dev/null 2>&1 || echo "edgecore: the service could not be disabled" >&2
fi
exit 0
`;

export const postrm = `#!/bin/sh
set -e
[ ! -d /run/systemd/system ] || systemctl daemon-reload
if [ "$1" = purge ]; then
  # Shared with KubeEdge's own agent, and what makes this node the one that the cloud knows.
  for path in ${KEPT.join(' ')}; do
    [ ! -e "$path" ] || echo "edgecore: $path stays; it is the node's identity and data"
  done
fi
exit 0
`;

export function changelog(version, maintainer, seconds) {
  const date = new Date(seconds * 1000).toUTCString().replace('GMT', '+0000');
  return `edgecore (${debianVersion(version)}) unstable; urgency=medium

  * What has changed is in the changelogs of the packages that the program is made of.

 -- ${maintainer}  ${date}
`;
}

export function copyright(licences) {
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: edgecore

Files: *
Copyright: the authors of EdgeCore in TypeScript
License: Apache-2.0
 On Debian systems the full text is in /usr/share/common-licenses/Apache-2.0.

Files: usr/lib/edgecore/*
Copyright: see the texts
License: several
${licences
  .trimEnd()
  .split('\n')
  .map((line) => ` ${line.trim() === '' ? '.' : line}`)
  .join('\n')}
`;
}
