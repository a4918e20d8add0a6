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

.PHONY: image chart-docs chart-manifests chart-check

image: ## build the container image IMAGE with BUILDER (docker, podman, buildah)
	@$(BUILDER) build -t $(IMAGE) \
		--build-arg VERSION=$$(node -p "require('./package.json').version") \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) $(IMAGE_ARGS) .

chart-docs: setup ## write the chart's README, dashboards and golden rule test anew
	@node k8s/chart/write.ts

chart-manifests: setup ## write the plain manifests anew (needs helm)
	@node k8s/chart/write-manifests.ts

chart-check: setup ## everything about the chart that needs helm, promtool and the like
	@node k8s/chart/check.ts
