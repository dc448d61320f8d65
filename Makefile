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
DIST    := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
# Packages whose promises are about goroutines, and those that run on real engines.
CONCURRENT ?= ./pipelines/... ./services/collector/... ./services/stitcher/... ./services/loader/... ./services/reports/... ./services/internal/...
REAL       ?= ./services/internal/kafka/... ./services/internal/embedded/... ./services/stitcher/... ./services/loader/... ./services/e2e/...

.PHONY: help
help: ## list the verbs
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: engines ## the whole system on this machine with a known data set; prints the dashboard's address
	$(GO) run ./cmd/throughline demo

.PHONY: up
up: engines ## the whole system on this machine; CONFIG=file
	$(GO) run ./cmd/throughline up $(if $(CONFIG),--config $(CONFIG))

.PHONY: engines
engines: ## fetch the embedded ClickHouse and Kafka, if they are not here
	$(GO) run ./cmd/throughline engines

.PHONY: test
test: engines ## all tests, with the real engines; PKG=packages RUN=names
	$(GO) test $(if $(RUN),-run '$(RUN)') $(PKG)

.PHONY: test-kafka
test-kafka: engines ## the tests on a real Kafka and a real ClickHouse, never from the cache
	$(GO) test -count=1 -timeout 30m $(if $(RUN),-run '$(RUN)') $(REAL)

.PHONY: race
race: engines ## the concurrent packages under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 30m $(if $(RUN),-run '$(RUN)') $(CONCURRENT)

.PHONY: bench
bench: ## all benchmarks; PKG=packages
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

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
dist: ## binaries of every platform in dist/, with their checksums
	rm -rf dist && mkdir dist
	for platform in $(DIST); do \
	  out=dist/throughline-$(VERSION)-$${platform/\//-}; \
	  echo "$$out"; \
	  CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) build -trimpath -ldflags '-s -w' -o "$$out" ./cmd/throughline; \
	done
	cd dist && sha256sum throughline-* > SHA256SUMS
