SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# node_modules/.bin holds a Node 24 and every tool; npm itself runs on the system's Node, since it replaces that folder.
SYSTEM_PATH := $(PATH)
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

INSTALLED := node_modules/.tidemark-setup

$(INSTALLED): package.json package-lock.json
	PATH="$(SYSTEM_PATH)" npm ci --no-audit --no-fund --loglevel=error
	touch $@

.PHONY: help setup stack stack-down stack-env demo test test-unit check format

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/; s/[$$]{2}/$$/' | expand -t 14

setup: $(INSTALLED) ## install what the other targets need (Node 24 included)

stack: setup ## start a local Kafka and Cassandra, and wait until both answer
	@node k8s/dev/stack.ts up

stack-down: setup ## end them and keep their data (`node k8s/dev/stack.ts down --wipe` removes it)
	@node k8s/dev/stack.ts down

stack-env: setup ## print the variables of the stack: eval "$$(make -s stack-env)"
	@node k8s/dev/stack.ts env

demo: setup ## publish events, fold them, kill a worker, verify the view
	@node k8s/dev/demo/main.ts

test: setup ## all tests that need no cluster, on a real Kafka and Cassandra
	@vitest run

test-unit: setup ## the tests that are pure and instant
	@vitest run --project unit

check: setup ## style, lint and types
	@biome check
	@tsc --noEmit

format: setup ## put files into the house style
	@biome check --write

IMAGE ?= tidemark:dev
BUILDER ?= docker

.PHONY: torture

torture: setup ## break everything under load and compare: ROUNDS=10 SEED=1 SERVERS=1|3 FAULT=name
	@node k8s/torture/simulate.ts --turns $$(( $${ROUNDS:-10} * 100000 )) $${SEED:+--seed $$SEED}
	@node k8s/torture/main.ts

# A stack of its own, tuned for load and without regard for kill -9, so that nothing else is measured and nothing else is lost.
BENCH_STACK := STACK_NAME=bench STACK_NET=127.0.5 STACK_DURABLE=0 CASSANDRA_HEAP=2g STACK_JVM=-XX:+UseParallelGC

.PHONY: bench

bench: setup ## measure Tidemark beside others: EVENTS=1000000 RUNS=3 W4_SECONDS=60 PEERS=all WORK=all (w1,w2,w3,w4,w5,w6)
	@$(BENCH_STACK) node k8s/dev/stack.ts up
	@eval "$$($(BENCH_STACK) node k8s/dev/stack.ts env)" && \
		STACK_NAME=bench NODE_NO_WARNINGS=1 node k8s/bench/run.ts "$${PEERS:-all}" "$${WORK:-all}"

.PHONY: image chart-docs chart-manifests chart-tools chart-check

# Times in the image are its commit's: with buildah and podman one commit gives one image, to the bit. BuildKit leaves files their times.
TIMESTAMP := $(filter buildah podman,$(notdir $(BUILDER)))

image: ## build the container image IMAGE with BUILDER (docker, podman, buildah)
	@commit() { git log -1 --format="$$1" 2>/dev/null || echo "$$2"; }; \
	epoch=$$(commit %ct 0); \
	$(if $(TIMESTAMP),,SOURCE_DATE_EPOCH=$$epoch )$(BUILDER) build -t $(IMAGE) $(if $(TIMESTAMP),--timestamp $$epoch) \
		--build-arg VERSION=$$(node -p "require('./package.json').version") \
		--build-arg REVISION=$$(commit %H unknown) --build-arg CREATED=$$(commit %cI 1970-01-01T00:00:00Z) $(IMAGE_ARGS) .

chart-docs: setup ## write the chart's README, dashboards and golden rule test anew
	@node k8s/chart/write.ts

chart-manifests: setup ## write the plain manifests anew (needs helm)
	@node k8s/chart/write-manifests.ts

chart-tools: setup ## build with Go what chart-check needs and is missing, and make its schemas, into ~/.cache/tidemark
	@node k8s/chart/install-tools.ts

chart-check: setup ## everything about the chart that needs helm, promtool and the like
	@node k8s/chart/check.ts

.PHONY: e2e load-test kind-up minikube-up kind-down

e2e: setup ## the chart's life on the cluster of KUBECONFIG: E2E_IMAGE=… E2E_KAFKA=… E2E_CASSANDRA=… (k8s/e2e)
	@vitest run --config k8s/e2e/vitest.config.ts

load-test: setup ## play a scenario on a fleet that KEDA scales, and draw it: SCENARIO=file, and what e2e needs (k8s/load-test)
	@node k8s/load-test/main.ts $(SCENARIO)

kind-up: ## a local cluster with everything in it, Grafana too (needs Docker, kind, kubectl, helm)
	@k8s/dev/kind-up.sh kind

minikube-up: ## the same with minikube
	@k8s/dev/kind-up.sh minikube

kind-down: ## remove it (and minikube's)
	@k8s/dev/kind-up.sh down
