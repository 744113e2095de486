# Each command installs what it misses (with sudo where it isn't root), says so, and can be repeated.
.DEFAULT_GOAL := help
.PHONY: bench dev faults fmt help lint looks run test

ci := $(dir $(abspath $(lastword $(MAKEFILE_LIST)))).ci

run: ## Build Keywarden and start it on http://localhost:3000, with its records in ./data
	@"$(ci)/serve"

test: ## Check everything: style, lints, tests on both engines, browser journeys
	@"$(ci)/test"

dev: ## Start Keywarden and rebuild it when a file changes
	@"$(ci)/dev"

faults: ## Break it for long: kill, cut off, race; goes on where it was interrupted
	@"$(ci)/faults"

bench: ## Measure an optimized build and print a table
	@"$(ci)/bench"

looks: ## Take pictures of every page of the console, to look at them
	@"$(ci)/looks"

lint: ## Check style and lints only
	@"$(ci)/test" lint

fmt: ## Format the code
	@"$(ci)/setup" rust lints && cargo fmt --all --manifest-path "$(ci)/../Cargo.toml"

help: ## List these commands
	@sed -n 's/^\([a-z0-9]*\):.* ## /\1\t/p' "$(ci)/../Makefile" | while IFS="$$(printf '\t')" read -r name text; do \
		printf 'make %-7s %s\n' "$$name" "$$text"; done
