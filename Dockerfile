# sipverdict in a container:  docker build -t sipverdict .
#   docker run --rm -v "$PWD:/work" sipverdict run --device my-phone.toml --window standard
# A device in another container or in the lab needs to reach it: --network host (docs/pipelines.md).
FROM debian:12-slim AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# Debian's stable packages change for security only: a version here would stop the build on the day of such a change.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends git python3 python3-venv && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The version and the commit, without which nothing can be certified, are asked of git.
RUN git config --global --add safe.directory /src \
    && python3 -m venv /build \
    && /build/bin/pip install --no-cache-dir -c constraints.txt hatchling \
    && /build/bin/python -m hatchling build -t wheel -d /dist \
    && cp constraints.txt /dist/

FROM debian:12-slim
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends sip-tester python3 python3-venv \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 tester
COPY --from=build /dist /dist
RUN python3 -m venv /opt/sipverdict \
    && /opt/sipverdict/bin/pip install --no-cache-dir -c /dist/constraints.txt /dist/*.whl \
    && rm -rf /dist
ENV PATH=/opt/sipverdict/bin:$PATH
USER 1000
WORKDIR /work
ENTRYPOINT ["sipverdict"]
CMD ["--help"]
