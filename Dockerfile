# One source of the binary as an image for Airbyte: a static binary, the shell that Airbyte's platform starts it with, and
# nothing else. `docker build -t source-stripe .` is all there is to it; docs/airbyte.md has the rest.
#
# BUILDER has cargo, a C compiler for musl and a static busybox; where it is Alpine's, the last two are added here.
ARG BUILDER=docker.io/library/rust:1-alpine

FROM ${BUILDER} AS builder
# What Alpine has of these today is what is wanted.
# hadolint ignore=DL3018
RUN if command -v apk > /dev/null; then apk add --no-cache musl-dev busybox-static; fi
WORKDIR /src
COPY . .
# For whom the binary is built. Default: this machine's processor, with musl. Named in any case, so that RUSTFLAGS don't
# reach build scripts and procedural macros, which cannot be static. With a -gnu target the binary is static, too.
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
# Airbyte's platform starts connectors with a script that needs `sh`, `sleep`, `mv`, `touch` and `mkfifo`; images that are
# built on this one have use for `cp` and `mkdir`; `cat` and `ls` are for people who look around. Each needs its link: not every
# busybox looks into itself for a command. A busybox that is not static could not be run here.
RUN set -eu; \
    mkdir -p /image/files/bin /image/files/etc; \
    for busybox in /bin/busybox.static /bin/busybox; do if [ -e "$busybox" ]; then break; fi; done; \
    cp "$busybox" /image/files/bin/busybox; \
    for name in sh sleep mv touch mkfifo cp mkdir cat ls; do ln -s busybox "/image/files/bin/$name"; done; \
    echo 'airbyte:x:1000:1000::/airbyte:/bin/sh' > /image/files/etc/passwd; \
    echo 'airbyte:x:1000:' > /image/files/etc/group; \
    echo 'hosts: files dns' > /image/files/etc/nsswitch.conf; \
    chroot /image/files /bin/sh -c :
# Which of the binary's sources this image is. One that there is not ends the build.
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
# The user airbyte, by number: Kubernetes cannot tell that a name is not root's (runAsNonRoot).
USER 1000:1000
# The version is that of Cargo.toml; a test keeps them equal.
LABEL io.airbyte.name=source-${AIRBYTE_SOURCE} \
      io.airbyte.version=0.1.0 \
      org.opencontainers.image.title=source-${AIRBYTE_SOURCE} \
      org.opencontainers.image.version=0.1.0 \
      org.opencontainers.image.licenses="MIT AND GPL-2.0-only"
ENTRYPOINT ["/airbyte/source-http"]
