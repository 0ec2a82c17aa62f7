# An image with the one binary:
# docker build -t tallow . && docker run --rm -v "$PWD:/work" tallow train photos --out run
FROM rust:1-alpine AS build
RUN apk add --no-cache ca-certificates musl-dev
WORKDIR /src
COPY . .
# Alpine's C library is musl, so what is built is static.
RUN cargo build --release --locked -p tallow --bin tallow \
    && target/release/tallow --version \
    && mkdir -p /made/tmp /made/work /made/etc/ssl/certs \
    && chmod 1777 /made/tmp \
    && chown 1000:1000 /made/work \
    && cp /etc/ssl/certs/ca-certificates.crt /made/etc/ssl/certs/ \
    && cp target/release/tallow LICENSE-MIT LICENSE-APACHE NOTICES.md /made/

FROM scratch
COPY --from=build /made/ /
# Nobody in particular; `--user $(id -u)` makes what is written yours.
USER 1000:1000
WORKDIR /work
ENV HOME=/tmp
EXPOSE 8080
ENTRYPOINT ["/tallow"]
