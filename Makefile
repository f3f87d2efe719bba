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
# Stamp the version where git can tell it; a source archive is built without.
BUILDVCS := $(shell git rev-parse --verify -q HEAD >/dev/null 2>&1 && echo true || echo false)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build, and start the demo on ADDR (localhost:8080) with its data in DATA (./data)
	bin/firemode demo --addr $(ADDR) --data $(DATA)

.PHONY: test
test: setup lint race ## everything CI runs: set-up, lint, all tests with the race detector

.PHONY: build
build: ## build bin/firemode
	CGO_ENABLED=0 go build -trimpath -buildvcs=$(BUILDVCS) -o bin/firemode ./cmd/firemode

.PHONY: setup
setup: ## get what the tests need from Debian (PostgreSQL, curl, jq, openssl, promtool) unless it is there
	@tools/setup

.PHONY: lint
lint: ## check formatting, go vet, staticcheck
	@unformatted="$$($(TOOL) gofumpt -l .)"; \
	if [ -n "$$unformatted" ]; then echo "not gofumpt-ed (make fmt mends it):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...

.PHONY: golangci
golangci: ## the longer list of linters in .golangci.yml; builds golangci-lint into .tools once (about 4 minutes)
	@test -x .tools/golangci-lint || GOBIN=$(CURDIR)/.tools go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	.tools/golangci-lint run ./...

.PHONY: race
race: ## all tests of PKG (./...) with the race detector
	go test -race -timeout 20m $(PKG)

.PHONY: quick
quick: ## all tests of PKG (./...) without the race detector
	go test -timeout 10m $(PKG)

.PHONY: cover
cover: ## tests with coverage over all packages, in coverage.html
	go test -timeout 10m -coverpkg=./... -coverprofile=coverage.out $(PKG)
	go tool cover -html=coverage.out -o coverage.html
	@go tool cover -func=coverage.out | tail -1

.PHONY: bench
bench: setup ## what batches, lists, HTTP and traces cost, as ratios within one run; fails on a regression (4 minutes)
	FIREMODE_BENCH=judge go test -count=1 -p 1 -timeout 60m -v -run 'Cost$$' ./internal/store/sqlite ./internal/store/postgres ./internal/sessions ./cmd/firemode \
		| grep -v '^=== '

.PHONY: bench-peers
bench-peers: build ## requests a second beside etcd and PocketBase, asked by wrk in one run; ROUNDS (3), SECONDS_EACH (10), DB_URL
	tools/bench-peers

.PHONY: gobench
gobench: ## the Go benchmarks of PKG (./...)
	go test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: load
load: build ## the load profile against a demo of its own: USERS (500), DURATION (2m), LOADFLAGS (see firemode loadtest --help)
	tools/load --users $(USERS) --duration $(DURATION) $(LOADFLAGS)

.PHONY: fuzz
fuzz: setup ## play ten times the random histories that the tests play, then run every fuzz target for FUZZTIME (10s)
	@tools/fuzz $(FUZZTIME)

.PHONY: chaos
chaos: setup ## kills, power cuts, broken disks, lost packets, clients that leave (as root; 15 minutes); CHAOS narrows it down
	@cd test/chaos && FIREMODE_CHAOS=full go test -count=1 -timeout 30m -run '$(CHAOS)'

.PHONY: attack
attack: setup ## alter every column that verify answers for, take rows out and put some in, on both engines; verify must name it (5 minutes)
	FIREMODE_ATTACK=all go test -count=1 -timeout 60m -run Alteration ./cmd/firemode

.PHONY: big
big: setup ## a session of a million operations: time in proportion, memory that does not grow
	FIREMODE_BIG=1 go test -count=1 -timeout 90m -v -run '^TestBig$$' ./internal/sessions

.PHONY: openapi
openapi: ## write api/openapi.yaml from the Go types
	go generate ./api

.PHONY: fmt
fmt: ## format all Go files
	$(TOOL) gofumpt -w .

.PHONY: clean
clean: ## remove what was built; ./data stays
	rm -rf bin .tools coverage.out coverage.html
