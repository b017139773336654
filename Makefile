# wsmlab: two commands on a fresh machine: `make run` and `make test`.

SWIFT ?= swift
PREFIX ?= /usr/local
# The build holds the code to the module graph of Package.swift.
BUILD_FLAGS := --explicit-target-dependency-import-check error
# Many tests run whole clusters in real time: more of them at once than this starve each other on two cores.
TEST_WIDTH ?= 4
GATE_MEMORY := --set cluster.manager=memory --set cluster.instances=1
SOURCES := Package.swift Sources Tests Examples Benchmarks

.DEFAULT_GOAL := help
.PHONY: help deps readers build run test defects defects-update swarm bench bench-simulate bench-peers predict predict-rates soak gate \
    gate-update gate-rates interop targets stage install uninstall lint format clean

help: ## show this text
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

deps: ## install what is missing: libhiredis, libzstd, redis-server
	@scripts/install-dependencies.sh

build: deps ## build in release
	$(SWIFT) build -c release $(BUILD_FLAGS)

run: build ## run Scenarios/quickstart.yaml on a private Redis
	.build/release/wsmlab run Scenarios/quickstart.yaml

readers: deps ## install the independent readers that tests use: a browser, and packages from PyPI
	@scripts/readers/install.sh

test: readers ## run every test, those on a real Redis too
	$(SWIFT) test $(BUILD_FLAGS) --experimental-maximum-parallelization-width $(TEST_WIDTH)

defects: deps ## plant every defect, and print which checker found it how many times
	@scripts/defects.sh

defects-update: deps ## the same, and write the tables into docs/planted-defects.md
	@scripts/defects.sh --update

swarm: deps ## simulate 10,000 random clusters, and hunt every planted mutant among them, in at most 10 minutes
	$(SWIFT) build -c release $(BUILD_FLAGS) --product wsmlab-swarm
	.build/release/wsmlab-swarm

interop: build ## share one Redis with a real orchestrator-core (from PyPI)
	scripts/interop/run.sh .build/release/wsmlab

targets: build ## measure a real orchestrator-core and a real nchan, each with both stores
	scripts/targets/run.sh all .build/release/wsmlab

bench: deps ## what the parts cost: CPU an event, allocations, the queue, memory over 100 million receipts
	$(SWIFT) build -c release $(BUILD_FLAGS) --product wsmlab-bench
	.build/release/wsmlab-bench

bench-simulate: deps ## what a million simulated clients cost: seconds, memory, deliveries a second
	$(SWIFT) build -c release $(BUILD_FLAGS) --product wsmlab
	$(SWIFT) build -c release $(BUILD_FLAGS) --product wsmlab-bench
	.build/release/wsmlab-bench simulate .build/release/wsmlab Scenarios/million-clients.yaml

# YARDSTICK: a folder with wsclient.c and wsserver.c, a neutral client and the least that a fan-out must cost.
bench-peers: build ## hold the instances beside a floor and nchan, under one neutral client: make bench-peers YARDSTICK=folder
	scripts/peers/bench.py --yardstick $(YARDSTICK)

# HELD_OUT: what is predicted and then measured. It wants a machine on which nothing else runs.
HELD_OUT ?= $(wildcard Scenarios/predict/*.yaml)
predict: build ## calibrate this machine, and hold predictions against live runs: some twenty quiet minutes
	.build/release/wsmlab calibrate -o Results/calibration.json
	.build/release/wsmlab predict $(HELD_OUT) --calibration Results/calibration.json --check --repeat 3

# After make predict, whose calibration it takes.
predict-rates: build ## predict and search the rate that few clients can be sent: half a quiet hour
	.build/release/wsmlab predict Scenarios/predict/capacity/*.yaml --calibration Results/calibration.json \
		--check --capacity --limit 'latency.p99 < 100ms'

soak: deps ## break small clusters at random 200 times, in at most 15 minutes, and check every ledger
	$(SWIFT) build -c release $(BUILD_FLAGS)
	.build/release/wsmlab-soak

# The same load through Redis and in memory, each with its baseline.
gate: build ## hold this build against Results/baselines, broadcast and memory
	.build/release/wsmlab gate Scenarios/gate.yaml --baseline Results/baselines/gate-broadcast.json
	.build/release/wsmlab gate Scenarios/gate.yaml $(GATE_MEMORY) --baseline Results/baselines/gate-memory.json

gate-update: build ## write Results/baselines anew; read the diff before you keep it
	.build/release/wsmlab gate Scenarios/gate.yaml --baseline Results/baselines/gate-broadcast.json --update
	.build/release/wsmlab gate Scenarios/gate.yaml $(GATE_MEMORY) --baseline Results/baselines/gate-memory.json --update

gate-rates: build ## how often the gate errs: a quiet hour of gates, identical and planted
	scripts/gate-rates/run.sh

stage: build ## gather the program, man pages and completions in .build/stage
	@SWIFT="$(SWIFT)" scripts/install/stage.sh

# It builds nothing that is there, so that root needs no compiler: make stage && sudo make install.
install: ## install what was staged: PREFIX=/usr/local, DESTDIR=
	@[ -x .build/stage/bin/wsmlab ] || $(MAKE) stage
	@scripts/install/install.sh install "$(DESTDIR)$(PREFIX)"

uninstall: ## remove it again
	@scripts/install/install.sh uninstall "$(DESTDIR)$(PREFIX)"

lint: ## check format and the rules of the code
	$(SWIFT) format lint --strict --recursive $(SOURCES)
	scripts/tidy.sh

format: ## format the code
	$(SWIFT) format --in-place --recursive $(SOURCES)

clean: ## remove build products and stored runs
	rm -rf .build Results/runs Results/latest
