# Every verb of the project; `make` and `make help` list them.
#
# GO, GOFLAGS and THROUGHLINE_ENGINES are taken from the environment. PKG limits test, bench and race to packages, RUN to tests:
#   make test PKG=./services/loader/... RUN=TestCrash

SHELL       := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
PKG     ?= ./...
RUN     ?=
LINT    := $(GO) tool -modfile=.golangci/go.mod golangci-lint
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
DIST    := throughline-$(VERSION)-$(shell $(GO) env GOOS)-$(shell $(GO) env GOARCH)
TRACKER := services/collector/tracker
# Packages whose promises are about goroutines, and those that run on real engines.
CONCURRENT ?= ./pipelines/... ./services/collector/... ./services/puller/... ./services/importer/... ./services/replay/... ./services/stitcher/... ./services/loader/... ./services/reports/... ./services/internal/...
REAL       ?= ./services/internal/kafka/... ./services/internal/embedded/... ./services/stitcher/... ./services/loader/... ./services/e2e/...

.PHONY: help
help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: engines ## the whole system on this machine on a company whose answers are known
	$(GO) run ./cmd/throughline demo

.PHONY: up
up: engines ## the whole system on this machine; CONFIG=file
	$(GO) run ./cmd/throughline up $(if $(CONFIG),--config $(CONFIG))

.PHONY: engines
engines: ## fetch the embedded ClickHouse and Kafka, if they are not here
	$(GO) run ./cmd/throughline engines

.PHONY: test
test: engines ## all tests, with the real engines; PKG=packages RUN=names
	$(GO) test -timeout 45m $(if $(RUN),-run '$(RUN)') $(PKG)

.PHONY: browser
browser: ## fetch what the test in a real browser needs beside Node.js and a Chromium
	cd $(TRACKER) && npm ci --no-fund --no-audit --loglevel=error

.PHONY: tracker
tracker: browser ## check and build the script that pages load
	cd $(TRACKER) && npm run --silent check && npm run --silent build

N ?= 20
SEED ?= 1
.PHONY: chaos
chaos: engines ## random faults under load, then an audit; N=rounds SEED=of the first
	$(GO) test -count=1 -timeout $$(( $(N) + 5 ))m -run TestChaos -v ./services/e2e -chaos-rounds $(N) -chaos-seed $(SEED) | grep --line-buffered -vE '^=== '

.PHONY: cluster
cluster: engines ## three brokers and a ClickHouse on this machine, until Ctrl-C; CONFIG=file
	$(GO) run ./cmd/throughline cluster $(if $(CONFIG),--config $(CONFIG))

# One system at a time on three brokers: none of them is only waiting.
.PHONY: test-cluster
test-cluster: engines ## three brokers: one lost at a time, the suites of the engines on them, and a round of chaos; N= SEED=
	$(GO) test -count=1 -timeout 10m -run TestCluster -v ./services/internal/embedded
	THROUGHLINE_TEST_BROKERS=3 $(GO) test -count=1 -timeout 30m ./services/loader
	THROUGHLINE_TEST_BROKERS=3 $(GO) test -count=1 -timeout 30m -parallel 1 -run 'TestStories|TestKill|TestConformance' ./services/e2e
	$(GO) test -count=1 -timeout 15m -run TestChaos -v ./services/e2e -chaos-rounds $(N) -chaos-seed $(SEED) -chaos-brokers 3 | grep --line-buffered -vE '^=== '

.PHONY: test-kafka
test-kafka: engines ## the tests on a real Kafka and a real ClickHouse, never from the cache
	$(GO) test -count=1 -timeout 30m $(if $(RUN),-run '$(RUN)') $(REAL)

.PHONY: race
race: engines ## the concurrent packages under the race detector
	CGO_ENABLED=1 $(GO) test -race -short -timeout 45m $(if $(RUN),-run '$(RUN)') $(CONCURRENT)

.PHONY: bench
bench: engines ## each part against its ceiling, measured in the same run
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./services/e2e
	$(GO) test -run '^$$' -bench . -benchmem ./schemas/... ./pipelines/...

.PHONY: lint
lint: ## vet and the linters of .golangci.yml, of a pinned version
	$(GO) vet ./...
	$(LINT) run ./...

.PHONY: fmt
fmt: ## format the code
	gofmt -w cmd pipelines schemas services

.PHONY: generate
generate: ## run the generators
	$(GO) generate ./...

.PHONY: dist
dist: engines ## one archive in dist/ with the program and its engines; it runs where there is Java 17
	rm -rf dist && mkdir -p dist/$(DIST)/engines
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o dist/$(DIST)/throughline ./cmd/throughline
	engines=$$(./dist/$(DIST)/throughline engines) && cp -R "$$engines"/node_modules "$$engines"/kafka-* dist/$(DIST)/engines/
	cp README.md LICENSE CHANGELOG.md deploy/config/throughline.yaml dist/$(DIST)/
	tar -C dist -czf dist/$(DIST).tar.gz $(DIST) && rm -rf dist/$(DIST)
	cd dist && sha256sum $(DIST).tar.gz > SHA256SUMS && ls -l
