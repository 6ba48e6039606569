#!/usr/bin/env bash
# Builds the image with the project's Dockerfile where no base can be pulled: an image with this machine's own toolchain
# replaces the builder. It needs root, buildah and a static busybox.
#
# Usage: .ci/image/build.sh IMAGE WORK [BUILDAH-OPTION...]
#
# It mounts Cargo's registry and the last build of the image as the Dockerfile's caches.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=$1 work=$2
shift 2
builder=localhost/source-http-builder
buildah() { command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"; }

# The toolchain that Cargo uses here, without rustup, which would write to its folder.
toolchain=$(rustc --print sysroot)
cargo_home=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "$cargo_home/registry" target/image "$work/buildah-cache"
ln -sfn "$(realpath "$cargo_home/registry")" "$work/buildah-cache/source-http-registry"
ln -sfn "$(realpath target/image)" "$work/buildah-cache/source-http-target"

# The builder image has only empty folders, on which this machine's are mounted.
container=$(buildah from scratch)
root=$(buildah mount "$container")
mkdir -p "$root"/{etc/alternatives,etc/ssl,tmp,var/tmp,usr/{bin,sbin,lib,lib64,include,local/cargo,local/rust}}
for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$root/$folder"; done
cp /etc/passwd /etc/group "$root/etc"
buildah config --env PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin --env CARGO_HOME=/usr/local/cargo "$container"
buildah umount "$container" > /dev/null
buildah commit --quiet --rm "$container" "$builder" > /dev/null

volumes=(--volume "$toolchain:/usr/local/rust:ro")
for folder in /usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/include /etc/alternatives /etc/ssl; do
  if [ -d "$folder" ]; then volumes+=(--volume "$folder:$folder:ro"); fi
done
TMPDIR=$work buildah bud --quiet --isolation chroot --pull-never --build-arg BUILDER="$builder" "${volumes[@]}" "$@" \
  --tag "$image" . > "$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
