# Tidemark as one image: every process is a command of `tidemark` (run, gateway, query, init, …). Node runs the .ts files as they are.
#
#   docker build -t tidemark:dev .
#
# Your own projections need no fork. Either mount their files and name the folder in TIDEMARK_PROJECTIONS, or add them:
#
#   FROM tidemark:dev
#   COPY my-projections/ /app/workers/projections/
#
# BUILD_IMAGE needs node and npm; BASE_IMAGE only glibc, libstdc++ and certificates, so it needs no shell. Both are pinned to the bit:
# raise the digests for their security fixes. Override both with a mirror's names where yours has no way out.
ARG BUILD_IMAGE=docker.io/library/node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
ARG BASE_IMAGE=gcr.io/distroless/cc-debian12:nonroot@sha256:9dac0a79194e45a7da0158a9c6da57b217585af0786db3845d1f0ec1a0dd182f

FROM ${BUILD_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Scripts of packages are not run: nothing here needs one, and nothing then depends on the machine that builds.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund
# Maps and declarations are for compilers, tests for authors.
RUN find node_modules -type f '(' -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' ')' -exec rm -f {} +
COPY shared shared
COPY workers workers
RUN find shared workers -type f '(' -name '*.test.ts' -o -name '*.test-d.ts' -o -name '*.bench.ts' -o -name '*.test-data.ts' ')' -exec rm -f {} + \
  && rm -rf shared/testing shared/engine/contracts \
  && mkdir -p /out/bin \
  && cp "$(node -p process.execPath)" /out/bin/node \
  && printf '#!/usr/local/bin/node\nimport("/app/workers/ctl/main.ts")\n' > /out/bin/tidemark \
  && chmod 0755 /out/bin/tidemark

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="tidemark" \
  org.opencontainers.image.description="Event sourcing with Kafka and Cassandra: projections that late writers cannot corrupt" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}" \
  org.opencontainers.image.created="${CREATED}"
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build /app /app
ENV PATH=/usr/local/bin:/usr/bin:/bin NODE_ENV=production
WORKDIR /app
# Nothing is ever written: run it with a read-only root.
USER 65532:65532
EXPOSE 8080 8081 9464
ENTRYPOINT ["tidemark"]
CMD ["--help"]
