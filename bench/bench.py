#!/usr/bin/env python3
"""normalcy beside PyTorch, ONNX Runtime, OpenVINO and OpenCV in one run; `make bench` starts it.

Both sides of a row are servers (peer.py has the protocol) that take turns in rounds; figures are
medians over the rounds, ratios are medians of each round's ratio, spreads are min and max. Writes
results.json into the work folder as rows are done, and prints them as a table.
"""
import argparse
import glob
import json
import os
import re
import select
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from footage import Footage
from sizes import SIZES

HERE = Path(__file__).resolve().parent
PAUSE = 0.3  # between turns: threads of an idle team spin for some milliseconds before they sleep
PATIENCE = 900  # seconds for a server to answer; compilers take their time
PAIRS = 4  # of a training step

# What "PyTorch's best" is the best of. Training differentiates the position bias, which PyTorch's
# fused attention for CPUs does not; it takes the same way as the written-out form then.
TORCH_MODES = {("train", "f32"): ["eager", "eager-math", "compile-math"],
               ("train", "bf16"): ["eager", "eager-math", "compile-math"],
               ("infer", "f32"): ["eager", "eager-math", "compile-freeze"],
               ("infer", "bf16"): ["eager-half", "eager-math-half", "eager", "compile-freeze-half",
                                   "compile-freeze"]}
RUNTIME_MODES = {("ort", "f32"): ["f32"], ("ort", "int8"): ["u8s8", "s8s8"],
                 ("openvino", "f32"): ["f32"], ("openvino", "bf16"): ["f32"],
                 ("openvino", "int8"): ["u8s8", "nncf", "nncf+bf16"]}
TRAIN_TARGETS = {"bf16": {"base": ">= 1.8", "footage": ">= 1.2"},
                 "f32": {"base": ">= 1.2", "footage": ">= 1.2"}}
NAMES = {"torch": "PyTorch", "ort": "ONNX Runtime", "openvino": "OpenVINO"}


class Failed(Exception):
    """A side that cannot run a row; the row says why."""


class Server:
    def __init__(self, command, env):
        self.name = " ".join(str(c) for c in command[1:])
        self.log = open(self.log_path(), "a")
        self.process = subprocess.Popen([str(c) for c in command], env=env, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log)
        self.pending = b""
        line = self.line()
        while not line.startswith("ready"):
            line = self.line()
        self.ready = json.loads(line[len("ready"):])

    @staticmethod
    def log_path():
        return Path(os.environ["BENCH_WORK"]) / "peers.log"

    def line(self):
        """One line of its output; Failed where it dies or is silent for long."""
        out, deadline = self.process.stdout, time.monotonic() + PATIENCE
        while b"\n" not in self.pending:
            if not select.select([out], [], [], max(0, deadline - time.monotonic()))[0]:
                self.kill()
                raise Failed(f"{self.name}: no answer in {PATIENCE} s")
            data = os.read(out.fileno(), 65536)
            if not data:
                self.kill()
                raise Failed(f"{self.name}: exit code {self.process.returncode}, see {self.log_path()}")
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return line.decode(errors="replace")

    def ask(self, word):
        try:
            self.process.stdin.write(word)
            self.process.stdin.flush()
        except OSError as why:  # it died while it was not its turn
            self.kill()
            raise Failed(f"{self.name}: {why}, see {self.log_path()}") from why

    def run(self):
        self.ask(b"run\n")
        return json.loads(self.line())

    def quit(self):
        self.ask(b"quit\n")
        peak = json.loads(self.line())["peak_rss"]
        self.process.wait()
        self.log.close()
        return peak

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()


class Bench:
    def __init__(self, args):
        self.args, self.work = args, Path(args.work).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        os.environ["BENCH_WORK"] = str(self.work)
        self.threads = len(os.sched_getaffinity(0))
        self.rows, self.candidates, self.chosen = [], [], {}
        self.python, self.allocator = self.work / "venv/bin/python", allocator()
        self.peers = subprocess.run([HERE / "setup.sh", self.work / "venv"]).returncode == 0
        self.machine = machine(self.threads, self.allocator)

    # ---- sides

    def environment(self, peer, threads):
        env = dict(os.environ, OMP_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1",
                   TORCHINDUCTOR_CACHE_DIR=str(self.work / "inductor"))
        if peer == "torch":
            env["THP_MEM_ALLOC_ENABLE"] = "1"
            if self.allocator:
                env["LD_PRELOAD"] = self.allocator
        return env

    def ours(self, *words):
        return Server([self.work / "release/bench_ours", *words], dict(os.environ))

    def peer(self, peer, task, size, precision, mode, batch, threads):
        folder = [] if peer == "torch" else [self.work / "models"]
        return Server([self.python, HERE / f"peer_{peer}.py", task, size, precision, mode, batch,
                       threads, *folder], self.environment(peer, threads))

    def ours_convert(self, file, side):
        return Server([self.work / "release/bench_convert", file, side], dict(os.environ))

    def ours_flow(self, file):
        return Server([self.work / "release/bench_flow", "run", file], dict(os.environ))

    def peer_opencv(self, task, file, size, *rest):
        threads = rest[0] if rest else 1
        server = Server([self.python, HERE / "peer_opencv.py", task, file, size, *rest],
                        self.environment("opencv", threads))
        self.machine["OpenCV"] = server.ready["version"]
        return server

    def best_mode(self, peer, task, size, precision, batch, threads):
        """The fastest of a peer's modes, tried alone with as many threads as the row has."""
        key = (peer, task, size, precision, batch, threads)
        if key in self.chosen:
            return self.chosen[key]
        modes = TORCH_MODES[task, precision] if peer == "torch" else RUNTIME_MODES[peer, precision]
        amx = "amx_bf16" in self.machine["features"]
        if amx and (peer, task, precision) == ("torch", "infer", "bf16"):
            modes = [*modes, "compile-freeze-tune-half"]
        if self.args.quick:
            modes = [m for m in modes if "compile" not in m]
        found = {}
        for mode in modes:
            entry = dict(zip(("peer", "task", "size", "precision", "batch", "threads"), key), mode=mode)
            try:
                server = self.peer(*key[:4], mode, batch, threads)
                times = [server.run()["seconds"] for _ in range(3)]
                entry |= {"seconds": statistics.median(times), "startup": server.ready["startup"],
                          "startup_peak": server.ready["startup_peak"], "peak_rss": server.quit()}
                found[mode] = entry["seconds"]
                self.machine[NAMES[peer]] = server.ready["version"]
            except Failed as why:
                entry["failed"] = str(why)
            self.candidates.append(entry)
            say(f"    {NAMES[peer]} {precision} {mode} {threads}t: "
                + (f"{entry['seconds']:.4f} s" if mode in found else entry["failed"]))
        if not found:
            raise Failed(f"{NAMES[peer]} {precision}: no mode runs")
        mode = min(found, key=found.get)
        self.chosen[key] = (mode, found[mode])
        return self.chosen[key]

    def torch_best(self, task, size, batch, threads):
        """Its precision and mode that are the fastest of all."""
        best = [(*self.best_mode("torch", task, size, p, batch, threads), p) for p in ("bf16", "f32")]
        mode, _, precision = min(best, key=lambda b: b[1])
        return precision, mode

    # ---- rows

    def wanted(self, name):
        return re.search(self.args.rows, name) is not None

    def add(self, name, ours, peer, peer_name, unit, higher_is_better=False, target=None, **more):
        """A row from both sides' figures of each round; the ratio says how far ahead we are
        (memory: our share)."""
        row = {"name": name, "unit": unit, "peer_name": peer_name, "target": target} | more
        for side, values in (("ours", ours), ("peer", peer)):
            row[side] = statistics.median(values) if values else None
            row[side + "_spread"] = [min(values), max(values)] if values else None
        if ours and peer:
            pairs = zip(ours, peer)
            ratios = [o / p for o, p in pairs] if higher_is_better else [p / o for o, p in pairs]
            row["ratio"] = statistics.median(ratios)
            row["ratio_spread"] = [min(ratios), max(ratios)]
        row["met"] = met(row)
        self.rows.append(row)
        print_row(row)
        self.save()

    def fail(self, name, why):
        self.rows.append({"name": name, "failed": str(why)})
        say(f"{name:34} {why}")
        self.save()

    def save(self):
        part = self.work / "results.json.part"
        part.write_text(json.dumps({"machine": self.machine, "quick": self.args.quick,
                                    "rows": self.rows, "candidates": self.candidates}, indent=1))
        part.rename(self.work / "results.json")

    @staticmethod
    def pause():
        time.sleep(PAUSE)

    def rounds(self, servers, count, repeat):
        """-> label: the median seconds of each round"""
        times = {label: [] for label in servers}
        for _ in range(count):
            for label, server in servers.items():
                time.sleep(PAUSE)
                times[label].append(statistics.median(server.run()["seconds"]
                                                      for _ in range(repeat)))
        return times

    def compare(self, task, size, precision, batch, threads, peers):
        """peers: label -> (peer, precision, mode) -> times and peaks by label, "ours" among them"""
        servers = {}
        try:
            servers["ours"] = self.ours(task, size, precision, batch, threads)
            self.machine["normalcy"] = servers["ours"].ready["version"]
            for label, (peer, its_precision, mode) in peers.items():
                servers[label] = self.peer(peer, task, size, its_precision, mode, batch, threads)
            count = 3 if self.args.quick else 5
            times = self.rounds(servers, count, 1 if task == "train" else 3)
            return times, {label: server.quit() for label, server in servers.items()}
        except Failed:
            for server in servers.values():
                server.kill()
            raise

    def row_train(self, size, precision, threads):
        name = f"train {size} {precision} {threads}t"
        if not self.wanted(name):
            return
        try:
            peers = {}
            if self.peers:
                if precision == "bf16":  # against the best at any precision
                    its, mode = self.torch_best("train", size, PAIRS, threads)
                else:
                    its = "f32"
                    mode = self.best_mode("torch", "train", size, its, PAIRS, threads)[0]
                peers = {f"PyTorch {its} {mode}": ("torch", its, mode)}
            times, peaks = self.compare("train", size, precision, PAIRS, threads, peers)
        except Failed as why:
            return self.fail(name, why)
        label = next(iter(peers), "")
        aim = threads == self.threads
        target = TRAIN_TARGETS[precision].get(size) if aim else None
        self.add(name, times["ours"], times.get(label), label, "s/step", target=target)
        peak = [peaks[label]] if label else None
        self.add(f"train memory {size} {precision} {threads}t", [peaks["ours"]], peak, label, "bytes",
                 higher_is_better=True, target="<= 0.6" if aim and size == "base" else None)

    def row_infer(self, size, precision, batch, threads):
        name = f"infer {size} b{batch} {precision} {threads}t"
        if not self.wanted(name):
            return
        aim = size == "base" and threads == self.threads
        peers, targets = {}, {}
        try:
            if self.peers:
                its, mode = "f32", None
                if precision == "f32":
                    mode = self.best_mode("torch", "infer", size, "f32", batch, threads)[0]
                else:
                    its, mode = self.torch_best("infer", size, batch, threads)
                label = f"PyTorch {its} {mode}"
                peers[label] = ("torch", its, mode)
                targets[label] = {"bf16": {1: ">= 1.7", 8: ">= 3"}[batch], "int8": ">= 3"}.get(precision)
                runtimes = {}
                for peer in ("ort", "openvino"):
                    if (peer, precision) not in RUNTIME_MODES:
                        continue
                    try:
                        mode, seconds = self.best_mode(peer, "infer", size, precision, batch,
                                                       threads)
                    except Failed as why:  # the others are still worth a row
                        self.fail(f"{name} {NAMES[peer]}", why)
                        continue
                    label = f"{NAMES[peer]} {precision} {mode}"
                    peers[label], runtimes[label] = (peer, precision, mode), seconds
                if precision == "int8" and runtimes:
                    targets[min(runtimes, key=runtimes.get)] = ">= 1.1"
            times, peaks = self.compare("infer", size, precision, batch, threads, peers)
        except Failed as why:
            return self.fail(name, why)
        if not peers:
            self.add(name, times["ours"], None, "", "s/batch")
        elif size == "footage":  # against the best of all peers
            targets = {min(peers, key=lambda label: statistics.median(times[label])): ">= 1.2"}
        for label in peers:
            self.add(name, times["ours"], times[label], label, "s/batch",
                     target=targets.get(label) if aim or size == "footage" else None)
        for label in peers:
            self.add(name.replace("infer", "infer memory"), [peaks["ours"]], [peaks[label]], label,
                     "bytes", higher_is_better=True)

    def row_matmul(self, size, precision):
        """The step's products at the best rate of the run over the whole step; and its parts."""
        name = f"matmul share {size} {precision}"
        if not self.wanted(name):
            return
        try:
            shares, rates = [], []
            step = self.ours("breakdown", size, precision, PAIRS, self.threads)
            products = self.ours("matmul", size, precision, PAIRS, self.threads)
            ops = {}
            for _ in range(3 if self.args.quick else 7):
                time.sleep(PAUSE)
                rates += [products.run()["rate"] for _ in range(3)]
                time.sleep(PAUSE)
                answer = step.run()
                shares.append(answer["seconds"])
                for op, seconds in answer["ops"].items():
                    ops.setdefault(op, []).append(seconds)
            step.quit()
            products.quit()
        except Failed as why:
            return self.fail(name, why)
        rate, flop = max(rates), step_flop(size)
        # Rows whose ratio is the floor over the step: of the linear layers alone, and of attention's
        # products too, which reach less than the best rate by their shape.
        self.add(name + " and attention", shares,
                 [(flop["products"] + flop["attention"]) / rate] * len(shares), "floor", "s/step")
        self.add(name, shares, [flop["products"] / rate] * len(shares), "floor", "s/step",
                 target=">= 0.85" if (size, precision) == ("base", "bf16") else None,
                 best_rate=rate, flop=flop, rates=[min(rates), max(rates)],
                 ops={op: statistics.median(s) for op, s in ops.items()})

    def row_first(self):
        name = "start to first score base"
        if not self.wanted(name):
            return
        try:
            model, frames = self.model("base"), next((self.scene() / "testing/frames").iterdir())
            half = self.work / "torch-half.pt"
            torch = [self.python, HERE / "peer_torch.py"]
            rest = ["base", "bf16", "eager-half", half, self.threads]
            env = self.environment("torch", self.threads)
            if self.peers and not half.exists():
                subprocess.run([str(c) for c in [*torch, "save", *rest]], env=env, check=True)
            ours, peer = [], []
            for _ in range(4 if self.args.quick else 8):
                time.sleep(PAUSE)
                ours.append(first_line([self.normalcy(), "score", model, frames], os.environ,
                                       lambda line: json.loads(line).get("psnr") is not None))
                if self.peers:
                    peer.append(first_line([*torch, "first", *rest], env, lambda line: line == "{}"))
        except (Failed, OSError, subprocess.CalledProcessError) as why:
            return self.fail(name, why)
        # The first of each fills the page cache.
        self.add(name, ours[1:], peer[1:] or None, "PyTorch bf16 weights" if peer else "", "s",
                 target="ours <= 0.3 s")

    def row_end_to_end(self, size, precision):
        name = f"end to end {size} {precision}"
        if not self.wanted(name):
            return
        rate, bare, images = [], [], SIZES[size].images(PAIRS)
        run = self.work / "end-to-end"
        try:
            server = self.ours("train", size, precision, PAIRS, self.threads)
            for _ in range(2 if self.args.quick else 4):
                shutil.rmtree(run, ignore_errors=True)
                bare += [images / statistics.median(server.run()["seconds"] for _ in range(5))]
                time.sleep(PAUSE)
                self.train(run, size, precision, 12)
                steps = [json.loads(line) for line in open(run / "log.jsonl")]
                steps = [s["images_per_second"] for s in steps if "images_per_second" in s][3:]
                rate.append(statistics.median(steps))
                time.sleep(PAUSE)
            server.quit()
        except (Failed, OSError, subprocess.CalledProcessError) as why:
            return self.fail(name, why)
        finally:
            shutil.rmtree(run, ignore_errors=True)
        self.add(name, rate, bare, "bare step", "images/s", higher_is_better=True,
                 target=">= 0.97" if size == "base" else None)

    # ---- data of our side

    def normalcy(self):
        return self.work / "release/normalcy"

    def scene(self):
        scene = self.work / "scene"
        if not (scene / "testing").exists():
            subprocess.run([self.work / "release/bench_data", scene], check=True,
                           stderr=subprocess.DEVNULL)
        return scene

    def train(self, run, size, precision, steps):
        with open(Server.log_path(), "a") as log:
            subprocess.run([self.normalcy(), "train", self.scene(), "-o", run, "--preset", "ped2",
                            "--size", size, "--precision", precision, "--steps", str(steps), "--epochs", "1000"],
                           check=True, stderr=log)

    def model(self, size):
        run = self.work / f"model-{size}"
        if not (run / "checkpoint.safetensors").exists():
            self.train(run, size, "f32", 1)
        return run

    def go(self):
        sizes = ["base", "footage"] if self.args.quick else list(SIZES)
        counts = sorted({1, self.threads}, reverse=True)[:1 if self.args.quick else 2]
        started = time.monotonic()
        say(json.dumps(self.machine))
        for size in sizes:
            for precision in ("bf16", "f32"):
                for threads in counts:
                    self.row_train(size, precision, threads)
            self.row_matmul(size, "bf16")
            self.row_matmul(size, "f32")
            for batch in (1, 8):
                for precision in ("bf16", "int8", "f32"):
                    for threads in counts:
                        self.row_infer(size, precision, batch, threads)
            if size != "footage":  # its own rows are of videos
                self.row_end_to_end(size, "bf16")
        self.row_first()
        Footage(self, Failed).go()
        self.machine["bench_seconds"] = round(time.monotonic() - started)
        self.save()
        say("\nTargets")
        for row in self.rows:
            if row.get("target"):
                print_row(row)
            if "failed" in row:
                say(f"{row['name']:34} NOT MEASURED: {row['failed']}")
        say(f"\n{self.work / 'results.json'} ({self.machine['bench_seconds']} s)")


# ---- figures --------------------------------------------------------------------------------

def step_flop(size):
    """Floating-point operations of the step's matrix products. Drop-path's rows count as often as
    they are kept; the patch embedding sees each frame once and has no gradient below it."""
    s = SIZES[size]
    rows, kept = s.images(PAIRS) * s.tokens, s.depth * (1 - s.drop_path / 2)
    patch = 3 * s.patch ** 2
    linear = 3 * 2 * rows * 12 * s.width ** 2 * kept
    ends = 3 * 2 * rows * s.width * patch + 2 * 2 * PAIRS * s.patches * s.width * s.frames * patch
    attention = 6 * 2 * rows * s.tokens * s.width * kept
    return {"products": linear + ends, "attention": attention}


def met(row):
    """Of a target like ">= 1.8" (the ratio) or "ours <= 0.3 s"; None where there is none."""
    if not row.get("target"):
        return None
    words = row["target"].split()
    value = row.get("ours") if words[0] == "ours" else row.get("ratio")
    bound = float(words[2 if words[0] == "ours" else 1])
    if value is None:
        return None
    return value >= bound if ">=" in words else value <= bound


def figure(value, unit):
    if value is None:
        return "-"
    if unit == "share":
        return f"{100 * value:.2g} %"
    return f"{value / 1e6:.{1 if value < 1e7 else 0}f} MB" if unit == "bytes" else f"{value:.4g} {unit}"


def print_row(row):
    if "failed" in row:
        return
    ratio = "-"
    if "ratio" in row:
        low, high = row["ratio_spread"]
        ratio = f"{row['ratio']:.2f}" + (f" ({low:.2f}..{high:.2f})" if high > low else "")
    goal = ""
    if row.get("target"):
        goal = row["target"] + {True: "  met", False: "  NOT MET", None: "  not known"}[row["met"]]
    say(f"{row['name']:34} {figure(row['ours'], row['unit']):>17} "
        f"{figure(row['peer'], row['unit']):>17}  {ratio:22} {row['peer_name']:32} {goal}")


def say(text):
    print(text, flush=True)


def first_line(command, env, wanted):
    """Seconds from the start of a process to the first line of its output that is wanted."""
    start = time.perf_counter()
    with open(Server.log_path(), "a") as log:
        process = subprocess.Popen([str(c) for c in command], env=env, stdout=subprocess.PIPE,
                                   stderr=log, text=True)
        for line in process.stdout:
            if wanted(line.strip()):
                seconds = time.perf_counter() - start
                process.kill()
                process.communicate()
                return seconds
        process.wait()
    raise Failed(f"{command[0]}: no score, exit code {process.returncode}, see {Server.log_path()}")


def allocator():
    """PyTorch frees and takes large blocks all the time: tcmalloc is its documented companion."""
    found = glob.glob("/usr/lib/*/libtcmalloc_minimal.so.4")
    return found[0] if found else None


def machine(threads, preload):
    cpu = dict(re.findall(r"^([^\t:]+)\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M))
    flags = cpu.get("flags", "").split()
    features = [f for f in flags if re.match(r"avx2|avx512f|avx512_(bf16|vnni)|amx|avx_vnni", f)]
    memory = int(re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    return {"cpu": cpu.get("model name", "").strip(), "family": cpu.get("cpu family"),
            "model": cpu.get("model"), "features": features, "threads": threads,
            "memory": memory, "kernel": os.uname().release, "python": sys.version.split()[0],
            "load": os.getloadavg()[0], "torch_allocator": preload or "glibc",
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--work", default="build/bench", help="folder of programs and results")
    parser.add_argument("--quick", action="store_true",
                        help="base and footage only, all threads, fewer rounds, PyTorch not compiled")
    parser.add_argument("--rows", default="", metavar="PATTERN", help="regular expression of names")
    Bench(parser.parse_args()).go()


if __name__ == "__main__":
    main()
