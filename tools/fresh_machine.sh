#!/bin/bash
# A machine that has nothing: Debian's smallest tree, Node and npm copied in, the last commit of this
# checkout cloned in, and there, by chroot, the two commands of the README. What they need beyond that
# tools/setup.ts has to bring.
#
#   sudo tools/fresh_machine.sh                      task demo, then task test
#   sudo tools/fresh_machine.sh run -A tools/test.ts full unit mount       Deno with these words
#
# Needs root, debootstrap, git, Node 20 and npm. The mirror, its keys, name servers, certificates and
# npm's settings are this machine's own. CAIRN_TREE names a folder to keep the tree in and to use again;
# otherwise it is made in TMPDIR and removed. Everything is mounted in a mount namespace of this script
# and runs in a process namespace of it: when it ends, however it ends, no mount and no process is left.
set -euo pipefail

RELEASE=bookworm
DENO=deno@2.9.5
checkout=$(cd "$(dirname "$0")/.." && pwd)
# Variables that say how this machine reaches its registries.
CARRIED='^(.*_proxy|.*_PROXY|npm_config_.*|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|DENO_(CERT|TLS_CA_STORE)|CAIRN_(LONG|SEED))='

main() {
  if [ "${CAIRN_INSIDE:-}" = "" ]; then
    require_tools
    tree=${CAIRN_TREE:-$(mktemp -d "${TMPDIR:-/tmp}/cairn_fresh.XXXXXX")}
    # Outside of the namespace nothing is mounted in the tree.
    [ "${CAIRN_TREE:-}" != "" ] || trap 'rm -rf --one-file-system "$tree"' EXIT
    CAIRN_INSIDE=$tree unshare --mount --propagation private --pid --fork --kill-child "$0" "$@"
    return
  fi
  tree=$CAIRN_INSIDE
  # The root of a machine is everybody's to look into; mktemp's folder is not.
  mkdir -p "$tree"
  chmod 755 "$tree"
  [ -e "$tree/etc/debian_version" ] || make_tree
  carry_settings
  carry_node
  mount_kernel
  clone_checkout
  in_tree npx -y $DENO run -A tools/setup.ts --base
  if [ $# -gt 0 ]; then
    timed npx -y $DENO "$@"
  else
    timed npx -y $DENO task demo
    timed npx -y $DENO task test
  fi
}

require_tools() {
  [ "$(id -u)" = 0 ] || { echo "fresh_machine: it takes root" >&2; exit 2; }
  for name in debootstrap git node npm unshare chroot; do
    command -v $name >/dev/null || { echo "fresh_machine: install $name first" >&2; exit 2; }
  done
}

make_tree() {
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' |
    awk -v release=$RELEASE '$2 == release { print $1; exit }')
  [ "$mirror" != "" ] || { echo "fresh_machine: apt knows no mirror of $RELEASE" >&2; exit 2; }
  debootstrap --variant=minbase $RELEASE "$tree" "$mirror" >"$tree.log" 2>&1 ||
    { tail -20 "$tree.log" >&2; exit 2; }
  rm -f "$tree.log"
}

# How apt, npm and names are reached here.
carry_settings() {
  local file
  cp -L /etc/resolv.conf /etc/hosts "$tree/etc/"
  cp -a /etc/apt/apt.conf.d/. "$tree/etc/apt/apt.conf.d/"
  rm -f "$tree/etc/apt/sources.list"
  # The sources of this release alone; others are no part of a fresh machine.
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    ! grep -qsE "(^|[[:space:]])$RELEASE([[:space:]]|\$)" "$file" || cp -L --parents "$file" "$tree/"
  done
  for file in /etc/apt/auth.conf.d /etc/apt/trusted.gpg.d /etc/apt/keyrings /usr/share/keyrings; do
    [ ! -d $file ] || { mkdir -p "$tree$file"; cp -aL $file/. "$tree$file/"; }
  done
  # Certificates that a setting names.
  for file in $(carried | sed 's/^[^=]*=//' | grep '^/') "$(npm config get cafile)"; do
    [ ! -f "$file" ] || cp -L --parents "$file" "$tree/"
    [ ! -d "$file" ] || { mkdir -p "$tree$file"; cp -rL "$file/." "$tree$file/" 2>/dev/null || true; }
  done
}

# The variables to carry, if any.
carried() {
  env | grep -E "$CARRIED" || true
}

carry_node() {
  local modules
  modules=$(npm root --global)
  mkdir -p "$tree/usr/local/lib/node_modules" "$tree/usr/local/etc"
  cp -L "$(command -v node)" "$tree/usr/local/bin/node"
  cp -a "$modules/npm" "$tree/usr/local/lib/node_modules/"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
  ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$tree/usr/local/bin/npx"
  [ ! -f "$(npm config get globalconfig)" ] ||
    cp "$(npm config get globalconfig)" "$tree/usr/local/etc/npmrc"
  [ ! -f "$(npm config get userconfig)" ] || cp "$(npm config get userconfig)" "$tree/root/.npmrc"
}

mount_kernel() {
  # The root of a machine is a mount, and programs change how it propagates.
  mount --bind "$tree" "$tree"
  mount --rbind /dev "$tree/dev"
  mount --rbind /sys "$tree/sys"
  mount -t proc proc "$tree/proc"
}

clone_checkout() {
  rm -rf "$tree/root/checkout"
  git clone --quiet --no-hardlinks "$checkout" "$tree/root/checkout"
  echo "fresh_machine: $(git -C "$checkout" log -1 --format='%h %s')"
}

# Runs a command in the clone, with the tree's own environment.
in_tree() {
  local settings
  mapfile -t settings < <(carried)
  chroot "$tree" env -i HOME=/root TERM=dumb \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "${settings[@]}" sh -c 'cd /root/checkout && exec "$@"' sh "$@"
}

timed() {
  local status=0 started=$SECONDS
  in_tree "$@" || status=$?
  echo "fresh_machine: $* ended with $status after $((SECONDS - started)) s"
  return $status
}

main "$@"
