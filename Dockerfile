# The image of every Farebox process. The context holds this file, the folder runtimes and the release binary, as hack/install
# puts them there:
#   swift build -c release --static-swift-stdlib --product farebox
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates git libarchive13 libcurl4 libnats3.4 libnghttp2-14 libpq5 libsodium23 libsqlite3-0 libssl3 libyaml-0-2 openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    # ssh refuses to run as a user that has no name
    && groupadd --gid 65532 farebox \
    && useradd --uid 65532 --gid 65532 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin farebox
COPY runtimes /usr/share/farebox/runtimes
COPY farebox /usr/local/bin/farebox
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/farebox"]
