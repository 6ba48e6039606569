# syntax=docker/dockerfile:1

# A static binary on an empty base: no shell, no package manager, nothing to patch but the binary.
# BUILDER must hold cargo and a C compiler for the target; on a musl base the binary is static by itself, on a glibc
# base RUSTFLAGS make it so.
ARG BUILDER=docker.io/library/rust:1-alpine

FROM ${BUILDER} AS builder
RUN if command -v apk >/dev/null; then apk add --no-cache musl-dev; fi
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY src src
COPY schemas schemas
COPY examples examples
COPY integration_tests integration_tests
# The target is named so that RUSTFLAGS don't reach build scripts and procedural macros, which cannot be static.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked --bin source-http --target "$target" \
 && mkdir -p /image/airbyte /image/tmp /image/etc \
 && cp "target/$target/release/source-http" /image/airbyte/source-http \
 && echo 'airbyte:x:1000:1000::/airbyte:/sbin/nologin' > /image/etc/passwd \
 && echo 'airbyte:x:1000:' > /image/etc/group \
 && chown -R 1000:1000 /image/airbyte /image/tmp

FROM scratch
COPY --from=builder /image /
# Which of the binary's sources this image is.
ARG AIRBYTE_SOURCE=stripe
ENV AIRBYTE_SOURCE=${AIRBYTE_SOURCE} \
    AIRBYTE_ENTRYPOINT=/airbyte/source-http \
    HOME=/airbyte
WORKDIR /airbyte
USER airbyte
LABEL io.airbyte.name=airbyte/source-${AIRBYTE_SOURCE} \
      io.airbyte.version=0.1.0
ENTRYPOINT ["/airbyte/source-http"]
