# The targets, each with its purpose: make help.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)

# e2e runs the real binary, which is built without the race detector.
RACE_PACKAGES ?= ./ingest/... ./dedup/... ./lake/... ./conf/... ./cmd/... ./query/... ./batch/...

# What strangers send is read by these, each fuzzed for FUZZTIME from its seeds.
FUZZTIME ?= 1m
FUZZ ?= ingest/decode:FuzzURI ingest/decode:FuzzGunzip ingest/decode:FuzzJSON ingest/decode:FuzzDecode ingest/decode:FuzzScrub \
	ingest/stream:FuzzDecodePack lake/schema:FuzzRow lake/schema:FuzzValidate

.PHONY: build test e2e race fuzz lint fmt bench demo clean help

build: ## bin/pinglake
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/pinglake ./cmd/pinglake

test: ## all tests, those of the real binary included
	$(GO) test ./...

e2e: ## the tests of the real binary and of the tree's rules
	$(GO) test -count=1 ./e2e/...

race: ## tests under the race detector
	$(GO) test -race -timeout 10m $(RACE_PACKAGES)

fuzz: ## every reader of foreign bytes, FUZZTIME each
	@for target in $(FUZZ); do \
		echo "== $$target"; \
		$(GO) test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(FUZZTIME) "./$${target%:*}" || exit 1; \
	done

lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

fmt: ## format all Go code
	gofmt -w .

bench: build ## the hot paths, then the real binary against a handler that does nothing
	$(GO) test -run '^$$' -bench . -benchmem ./...
	$(GO) run ./e2e/bench -pinglake bin/pinglake

demo: build ## a simulated month through the whole line
	./bin/pinglake demo

clean: ## remove what was built
	rm -rf bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
