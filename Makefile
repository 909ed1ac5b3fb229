# Short names for what CMakePresets.json, tools/deps.sh and ctest do.
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
SECONDS_EACH ?= 60
release := build/release
normalcy := $(release)/normalcy

.PHONY: build demo check fuzz bench install clean help

build:
	@tools/deps.sh build
	@cmake --preset release -DBUILD_TESTING=OFF -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build --preset release -j $(JOBS)

demo: build
	$(normalcy) demo -o build/demo
	@echo "the report: $(CURDIR)/build/demo/report.html"

# Every test optimised, and those of the code with sanitizers too; ctest's summary comes last.
check:
	@tools/deps.sh build check
	@cmake --preset release -DBUILD_TESTING=ON >/dev/null
	@cmake --build --preset release -j $(JOBS)
	@cmake --preset asan >/dev/null
	@cmake --build --preset asan -j $(JOBS)
	@ctest --preset release
	@ctest --preset asan

fuzz:
	@tools/deps.sh build check fuzz
	@cmake --preset fuzz >/dev/null
	@cmake --build --preset fuzz -j $(JOBS)
	@for target in build/fuzz/fuzz_*; do \
	    name=$${target##*/fuzz_}; \
	    echo "fuzz $$name"; \
	    mkdir -p build/fuzz/found/$$name; \
	    $$target -max_total_time=$(SECONDS_EACH) -verbosity=0 -print_final_stats=1 -artifact_prefix=build/fuzz/ \
	        build/fuzz/found/$$name tests/fuzz/corpus/$$name || exit 1; \
	done

# Beside PyTorch, ONNX Runtime, OpenVINO and OpenCV, which it installs into build/bench; BENCH=--quick
# is short.
bench:
	@tools/deps.sh build bench
	@cmake --preset release -B build/bench/release -DBUILD_TESTING=OFF -DNORMALCY_BENCH=ON >/dev/null
	@cmake --build build/bench/release -j $(JOBS)
	@bench/bench.py --work build/bench $(BENCH)

install: build
	@cmake --install $(release)

clean:
	rm -rf build

help:
	@echo "make          build $(normalcy)"
	@echo "make demo     train and score a generated scene; writes build/demo/report.html"
	@echo "make check    build and run all tests, optimised and with sanitizers"
	@echo "make fuzz     run each fuzz target for SECONDS_EACH=$(SECONDS_EACH) seconds (clang)"
	@echo "make bench    measure against PyTorch, ONNX Runtime and OpenVINO, BENCH=--quick in short"
	@echo "make install  into PREFIX=$(PREFIX), with DESTDIR"
	@echo "make clean    remove build/"
