# Build, run and test lookalike. Needs Go and git; `test` also uses the race
# detector where there is a C compiler, `e2e` and `bench` need Debian and root.

GO   ?= go
BIN  := build/bin
PORT ?= 1053
PREFIX ?= /usr/local

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    := v2.15.0
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0

# The database of Go's known holes is a module, so that no service is asked and
# the same commit gives the same answer. `go list -m golang.org/x/vulndb@latest`
# names the newest: try it by `make vuln VULNDB=...`, then write it here.
VULNDB := v0.0.0-20261105234957-e22db6528018

# The Go to build with, whatever the environment says: the machine's own where it
# is as new as go.mod wants, otherwise that one, which a Go from 1.21 on fetches.
NEEDED   := $(shell sed -n 's/^toolchain go//p' go.mod)
OWN      := $(shell GOTOOLCHAIN=local $(GO) version 2>/dev/null | sed -n 's/^go version .*go\([0-9][0-9a-z.]*\).*/\1/p')
at_least  = $(and $(2),$(filter $(1),$(shell printf '%s\n' $(1) $(2) | sort -V | head -n 1)))
export GOTOOLCHAIN := $(if $(call at_least,$(NEEDED),$(OWN)),local,$(if $(call at_least,1.21,$(OWN)),go$(NEEDED)))

# Every directory of build/ that holds a main package becomes a binary.
COMMANDS := $(patsubst build/%/main.go,%,$(wildcard build/*/main.go))

# -trimpath, no VCS stamp and no build id: the same commit gives the same bytes
# in any directory. The binaries are told version and commit, and show them.
VERSION := $(shell build/package/version 2>/dev/null)
COMMIT  := $(shell git describe --always --dirty --abbrev=12 --exclude '*' 2>/dev/null || echo unknown)
LDFLAGS := -s -w -buildid= -X github.com/coredns/coredns/coremain.GitCommit=$(COMMIT) \
	-X github.com/lookalike-dns/lookalike/plugin/lookalike.release=$(VERSION)

# The tests that mount small disks, by name: go test is content with a pattern
# that no test matches.
DISK_TESTS := TestFull TestReadOnly TestSpoolDiskFull TestSpoolReadOnly TestSpoolNoRoom TestSpoolNoDirectoryReadOnly TestDiskFillsUp

# The race detector needs cgo, and cgo a C compiler.
RACE = $(shell command -v $$($(GO) env CC) >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help
.PHONY: help build run test prove e2e bench dist man install uninstall lint vuln clean go gofmt vet staticcheck golangci-lint tools

help: ## list the targets
	@echo 'lookalike: a CoreDNS that answers for names that resemble protected ones'
	@echo
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | \
		while IFS='|' read -r target text; do printf '%-14s %s\n' "$$target" "$$text"; done

# why FINDING says what a machine lacks to build.
define why
{ echo 'make: $(1)'; \
echo 'lookalike is built with Go $(NEEDED) or later. A Go from 1.21 on fetches Go $(NEEDED) by itself.'; \
echo 'Install Go from https://go.dev/dl/, or name one: make GO=/usr/local/go/bin/go'; \
echo 'The first build downloads $(DOWNLOADS), and takes about 3 minutes on two processors.'; } >&2; exit 1
endef
DOWNLOADS := 115 MB of modules, and 76 MB where Go $(NEEDED) has to be fetched

go:
ifeq ($(OWN),)
	@$(call why,There is no Go here ("$(GO)" does not run).)
else ifeq ($(GOTOOLCHAIN),)
	@$(call why,The Go here is too old: "$(GO)" is Go $(OWN).)
else
	@$(GO) version >/dev/null || { $(call why,Go $(OWN) has not fetched Go $(NEEDED). It asks the servers that GOPROXY names.); }
endif

build: go ## build the binaries into build/bin/
	@test -d $(BIN) || echo 'The first build downloads $(DOWNLOADS).'
	@mkdir -p $(BIN)
	@for c in $(COMMANDS); do \
		echo "build $(BIN)/$$c"; \
		CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o $(BIN)/$$c ./build/$$c || exit 1; \
	done

run: build ## start a server on 127.0.0.1:1053 with corefile/quickstart (PORT=... for another port)
	@grep -qs '^[[:space:]]*nameserver' /etc/resolv.conf || { \
		echo 'make run: /etc/resolv.conf is missing or names no nameserver.' >&2; \
		echo 'Write the address of your resolver into the forward line of corefile/quickstart.' >&2; \
		exit 1; }
	@echo
	@echo 'Ask in another terminal (alerts appear here, one JSON object a line; Ctrl-C stops):'
	@echo '  dig -p $(PORT) @127.0.0.1 army.ml MX        resembles army.mil: NXDOMAIN, and an alert'
	@echo '  dig -p $(PORT) @127.0.0.1 example.org MX    resembles nothing: the answer of your resolver'
	@echo
	@exec $(BIN)/coredns -conf corefile/quickstart -dns.port $(PORT)

# Without go vet, which takes longer than the compiler, and which lint runs, and
# without the tables for debuggers, which take most of the linker's time. The
# longest package goes first. A process of the race detector's would sleep for a
# second at its end.
test: go ## run the tests that need nothing but Go, and of the proofs a part
	@test -n "$(RACE)" || echo 'make test: no C compiler, so no race detector'
	GORACE='atexit_sleep_ms=10' $(GO) test -short -vet=off -ldflags='-s -w' $(RACE) ./test ./...

prove: go ## run the proofs in full: every case of the oracles, limits and storms
	$(GO) test -vet=off -timeout 20m $$(grep -rl --include='*_test.go' 'lookalike/test/proof"' build plugin | xargs -n 1 dirname | sort -u | sed 's,^,./,')

# -p 1: the storms of one package must not take the machine from the other.
e2e: build tools ## test with full disks, DNS clients and resolvers, receivers of alerts, mail servers (root, Debian)
	@out=$(BIN)/disk-tests; \
	LOOKALIKE_E2E=1 $(GO) test -count=1 -v -run "^($$(echo $(DISK_TESTS) | tr ' ' '|'))$$" ./plugin/lookalike/alert/... >$$out; status=$$?; cat $$out; \
	for t in $(DISK_TESTS); do grep -q "^--- PASS: $$t " $$out || { echo "make e2e: $$t has not passed"; status=1; }; done; \
	rm -f $$out; exit $$status
	LOOKALIKE_E2E=1 COREDNS="$(CURDIR)/$(BIN)/coredns" LOOKALIKE="$(CURDIR)/$(BIN)/lookalike" $(GO) test -count=1 -p 1 -timeout 40m -tags e2e -v ./test/... ./build/internal/dnslog

bench: build tools ## measure: Go benchmarks, then this server beside upstream's (AGAINST=COMMIT: and that commit's) and resolvers of Debian
	$(GO) test -run '^$$' -bench . -benchmem ./plugin/... ./build/...
	@old=; trap 'rm -rf "$$old"' EXIT; if test -n '$(AGAINST)'; then old=$$(mktemp -d); \
		git archive '$(AGAINST)' | tar -x -C "$$old" && \
		(cd "$$old" && CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o coredns ./build/coredns) || exit 1; fi; \
	$(GO) run ./test/bench -coredns $(BIN)/coredns $${old:+-against "$$old/coredns"}
	$(GO) run ./test/benchaudit -tool $(BIN)/lookalike
	$(GO) build -o $(BIN)/benchalerts ./test/benchalerts
	nice -n -15 $(BIN)/benchalerts -coredns $(BIN)/coredns; status=$$?; rm -f $(BIN)/benchalerts; exit $$status
	$(GO) run ./test/benchpeers -coredns $(BIN)/coredns -tool $(BIN)/lookalike

dist: go ## make packages, tarballs, an image and checksums of the commit in build/dist/ (MINISIGN_KEY=FILE signs them)
	GO='$(GO)' $(GO) run ./build/package/dist

man: build ## make the manual pages in build/dist/stage/man/
	$(GO) run ./build/package/dist -man $(BIN)/lookalike

install: man ## install the service without a package (DESTDIR=, PREFIX=)
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' build/package/install

uninstall: ## remove it, except settings, logs and spools
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' build/package/install -u

tools:
	./test/install-tools

lint: gofmt vet staticcheck golangci-lint ## gofmt, go vet, staticcheck and golangci-lint

gofmt:
	@files=$$(gofmt -l build plugin test) || exit 1; \
	test -z "$$files" || { echo 'not formatted, run gofmt -w on:'; echo "$$files"; exit 1; }

vet: go
	$(GO) vet ./...
	$(GO) vet -tags e2e ./...

staticcheck: go
	$(GO) run $(STATICCHECK) -tags e2e ./...

# golangci-lint is used where it is there or can be built; a failure to install
# it is reported and is no failure of the lint, a finding is one.
golangci-lint: go
	@lint=; \
	for l in $(BIN)/golangci-lint "$$(command -v golangci-lint)"; do \
		test -x "$$l" && "$$l" version 2>/dev/null | grep -q 'version v\?$(GOLANGCI:v%=%) ' && { lint=$$l; break; }; \
	done; \
	if test -z "$$lint"; then \
		echo 'installing golangci-lint $(GOLANGCI) into $(BIN)'; \
		if GOBIN="$(CURDIR)/$(BIN)" $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI); \
		then lint=$(BIN)/golangci-lint; \
		else echo 'golangci-lint $(GOLANGCI) cannot be installed here; gofmt, go vet and staticcheck have run'; exit 0; fi; \
	fi; \
	echo "$$lint run --build-tags e2e ./..."; "$$lint" run --build-tags e2e ./...

vuln: go ## find known holes in what the code calls (downloads a database of 67 MB once)
	@db=$(BIN)/vulndb-$(VULNDB); test -d $$db || { \
		echo 'index the database of known holes, $(VULNDB)'; mkdir -p $(BIN); rm -rf $$db.new; \
		dir=$$($(GO) mod download -json golang.org/x/vulndb@$(VULNDB) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p') && \
		$(GO) run golang.org/x/vulndb/cmd/indexdb@$(VULNDB) -vulns "$$dir/data/osv" -out $$db.new >$$db.log 2>&1 && \
		mv $$db.new $$db && rm $$db.log || { cat $$db.log; exit 1; }; }
	$(GO) run $(GOVULNCHECK) -db 'file://$(CURDIR)/$(BIN)/vulndb-$(VULNDB)' ./...

clean: ## remove what was built
	rm -rf $(BIN) build/dist
	$(GO) clean -testcache
