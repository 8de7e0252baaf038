#!/usr/bin/env bash
# Prints the paths of two stock kubectls, one a line, for tests: of Debian 12 (1.20) and of Debian 13 (1.32). What is lacking is
# fetched with apt from the mirror that this machine uses, checked with Debian's keyring, and unpacked into a cache; nothing is
# installed and apt's own lists stay as they are. Needs Debian and `debian-archive-keyring`; run it again after a failure.
set -euo pipefail

cache="${EDGE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edgecore-tests}"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
. /etc/os-release

# fetch SUITE PACKAGE
fetch() {
  local target="$cache/kubectl-$1" work mirror
  if [ ! -x "$target" ]; then
    mirror="$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | awk -v suite="$VERSION_CODENAME" '$2 == suite && $3 == "main" { print $1; exit }')"
    [ -n "$mirror" ] || { echo "apt has no source with suite $VERSION_CODENAME and component main, so there is no mirror to take $1 from" >&2; return 1; }
    mkdir -p "$cache"
    work="$(mktemp -d "$cache/.fetching.XXXXXX")"
    (
      trap 'rm -rf "$work"' EXIT
      cd "$work"
      mkdir -p lists/partial archives/partial
      echo "deb [signed-by=$keyring] $mirror $1 main" > sources.list
      options=(-qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" -o Dir::State::status=/dev/null
        -o Dir::Cache="$work" -o Acquire::Languages=none -o Acquire::Retries=3 -o APT::Sandbox::User=root)
      apt-get "${options[@]}" update >&2
      apt-get "${options[@]}" download "$2" >&2
      dpkg-deb -x "$2"_*.deb unpacked
      # In one step, so that nobody meets half of it.
      mv unpacked/usr/bin/kubectl "$target"
    )
  fi
  echo "$target"
}

fetch bookworm kubernetes-client
fetch trixie kubectl
