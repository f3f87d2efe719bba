# FireMode. `make help` lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

ADDR     ?= localhost:8080
DATA     ?= data
FUZZTIME ?= 10s
PKG      ?= ./...
CHAOS    ?= .
USERS    ?= 500
DURATION ?= 2m

TOOL   := go tool -modfile=tools/go.mod
# Runs go test passes, separated by --, with one PostgreSQL cluster and one executable; prints the slowest tests.
SUITE  := go run ./test/suite
# The race detector watches our code. SQLite, which is C translated to Go, is left out: watched, it takes most of the time.
RACE   := -race -gcflags=modernc.org/sqlite/lib=-race=false -gcflags=modernc.org/libc/...=-race=false
# Tests that run in a second pass without the race detector: long random histories (see test/race) and limits of memory.
HISTORIES := -run '^Test(Histories|Machine|Memory|Simulation)'
# The packages with such tests.
HISTORY_PACKAGES = $(shell go list -f '{{.ImportPath}} {{.TestImports}} {{.XTestImports}}' ./... | sed -n 's, .*firemode/test/race.*,,p')
# Stamp the version where git can tell it; a source archive is built without.
BUILDVCS := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo true || echo false)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build and start the demo on ADDR (localhost:8080) with its data in DATA (./data)
	bin/firemode demo --addr $(ADDR) --data $(DATA)

.PHONY: test
test: setup lint ## run everything that CI runs: setup, lint, all tests with the race detector, long histories without it
	$(SUITE) -vet=off $(RACE) -timeout 20m ./... -- -vet=off -timeout 20m $(HISTORIES) $(HISTORY_PACKAGES)

.PHONY: build
build: ## build bin/firemode
	CGO_ENABLED=0 go build -trimpath -buildvcs=$(BUILDVCS) -o bin/firemode ./cmd/firemode

.PHONY: setup
setup: ## install missing tools that the tests need: PostgreSQL, curl, jq, openssl, promtool (Debian)
	@tools/setup

.PHONY: lint
lint: ## check formatting, go vet, staticcheck
	@unformatted="$$($(TOOL) gofumpt -l .)"; \
	if [ -n "$$unformatted" ]; then echo "not formatted with gofumpt; run make fmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...

.PHONY: golangci
golangci: ## run the linters of .golangci.yml; the first run builds golangci-lint into .tools (about 4 minutes)
	@test -x .tools/golangci-lint || GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	.tools/golangci-lint run ./...

.PHONY: race
race: ## run all tests of PKG (./...) with the race detector
	$(SUITE) $(RACE) -timeout 20m $(PKG)

.PHONY: quick
quick: ## run all tests of PKG (./...) without the race detector
	$(SUITE) -timeout 10m $(PKG)

.PHONY: cover
cover: ## run all tests of PKG and write their coverage of all packages to coverage.html
	go test -timeout 10m -coverpkg=./... -coverprofile=coverage.out $(PKG)
	go tool cover -html=coverage.out -o coverage.html
	@go tool cover -func=coverage.out | tail -1

.PHONY: bench
bench: setup ## measure batches, lists, HTTP and traces as ratios within one run; fail on a regression (4 minutes)
	FIREMODE_BENCH=compare go test -count=1 -p 1 -timeout 60m -v -run 'Cost$$' ./internal/store/sqlite ./internal/store/postgres ./internal/record/merge ./cmd/firemode \
		| grep -v '^=== '

.PHONY: bench-peers
bench-peers: build ## compare requests per second with etcd and PocketBase, by wrk: ROUNDS (3), SECONDS_EACH (10), DB_URL
	tools/bench-peers

.PHONY: gobench
gobench: ## run the Go benchmarks of PKG (./...)
	go test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: load
load: build ## run the load test against its own demo server: USERS (500), DURATION (2m), LOADFLAGS (firemode loadtest --help)
	tools/load --users $(USERS) --duration $(DURATION) $(LOADFLAGS)

.PHONY: fuzz
fuzz: setup ## play ten times as many random histories as make test, then run each fuzz target for FUZZTIME (10s)
	@tools/fuzz $(FUZZTIME)

.PHONY: chaos
chaos: setup ## test kills, power cuts, broken disks, lost packets, vanished clients; as root, 15 minutes; CHAOS selects tests
	@cd test/chaos && FIREMODE_CHAOS=full go test -count=1 -timeout 30m -run '$(CHAOS)'

.PHONY: attack
attack: setup ## alter every column that verify checks, delete and add rows, on both engines; verify must report it (5 minutes)
	FIREMODE_ATTACK=all go test -count=1 -timeout 60m -run Alteration ./internal/app

.PHONY: big
big: setup ## test a session of a million operations: time in proportion to size, constant memory
	FIREMODE_BIG=1 go test -count=1 -timeout 90m -v -run '^TestBig$$' ./internal/record/merge

.PHONY: openapi
openapi: ## generate api/openapi.yaml from the Go types
	go generate ./api

.PHONY: fmt
fmt: ## format all Go files
	$(TOOL) gofumpt -w .

.PHONY: clean
clean: ## remove build output; keep ./data
	rm -rf bin .tools coverage.out coverage.html
