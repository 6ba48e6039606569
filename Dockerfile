# Builds an Airbyte image of one source: the static binary, the shell with which Airbyte's platform starts it, and nothing
# else. `docker build -t source-stripe .` builds it; see docs/airbyte.md.
#
# BUILDER needs Cargo, a C compiler for musl and a static busybox. On Alpine, this file installs the last two.
ARG BUILDER=docker.io/library/rust:1-alpine

FROM ${BUILDER} AS builder
# Alpine's current versions are fine.
# hadolint ignore=DL3018
RUN if command -v apk > /dev/null; then apk add --no-cache musl-dev busybox-static; fi
WORKDIR /src
COPY . .
# The target of the binary. Default: this machine's processor, with musl. It is always named, because RUSTFLAGS would
# otherwise apply to build scripts and procedural macros, which cannot be static. With a -gnu target the binary is static, too.
ARG TARGET=
RUN --mount=type=cache,id=source-http-registry,target=/usr/local/cargo/registry \
    --mount=type=cache,id=source-http-target,target=/src/target,sharing=locked \
    set -eu; \
    target="${TARGET:-$(uname -m)-unknown-linux-musl}"; \
    export RUSTFLAGS="-C target-feature=+crt-static"; \
    cargo build --release --locked --bin source-http --target "$target"; \
    mkdir -p /image/owned/airbyte /image/owned/data /image/owned/tmp; \
    chmod 1777 /image/owned/tmp; \
    cp "target/$target/release/source-http" /image/owned/airbyte/
# Airbyte's platform starts connectors with a script that needs `sh`, `sleep`, `mv`, `touch` and `mkfifo`. Images that are
# built on this one use `cp` and `mkdir`; people use `cat` and `ls`. Each needs a link, because not every busybox finds its own
# commands. The `chroot` fails if busybox is not static.
RUN set -eu; \
    mkdir -p /image/files/bin /image/files/etc; \
    for busybox in /bin/busybox.static /bin/busybox; do if [ -e "$busybox" ]; then break; fi; done; \
    cp "$busybox" /image/files/bin/busybox; \
    for name in sh sleep mv touch mkfifo cp mkdir cat ls; do ln -s busybox "/image/files/bin/$name"; done; \
    echo 'airbyte:x:1000:1000::/airbyte:/bin/sh' > /image/files/etc/passwd; \
    echo 'airbyte:x:1000:' > /image/files/etc/group; \
    echo 'hosts: files dns' > /image/files/etc/nsswitch.conf; \
    chroot /image/files /bin/sh -c :
# The source of this image. The build fails if the binary does not have it.
ARG AIRBYTE_SOURCE=stripe
RUN AIRBYTE_SOURCE="$AIRBYTE_SOURCE" /image/owned/airbyte/source-http spec > /dev/null

FROM scratch
COPY --from=builder /image/files /
COPY --from=builder --chown=1000:1000 /image/owned /
ARG AIRBYTE_SOURCE=stripe
ENV AIRBYTE_SOURCE=${AIRBYTE_SOURCE} \
    AIRBYTE_ENTRYPOINT=/airbyte/source-http \
    HOME=/airbyte \
    PATH=/bin
WORKDIR /airbyte
# The user airbyte, by number: with a name, Kubernetes cannot check that it is not root (runAsNonRoot).
USER 1000:1000
# The version of Cargo.toml; a test compares them.
LABEL io.airbyte.name=source-${AIRBYTE_SOURCE} \
      io.airbyte.version=0.1.0 \
      org.opencontainers.image.title=source-${AIRBYTE_SOURCE} \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.licenses="MIT AND GPL-2.0-only"
ENTRYPOINT ["/airbyte/source-http"]
