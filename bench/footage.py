"""The rows of bench.py from a video to its scores. Videos are made by ffmpeg, in the work folder.

All but those of OpenCV need no peer: their floors are ffmpeg, which decodes alone, and bench_ours,
which runs the network alone.
"""
import json
import os
import resource
import shutil
import statistics
import subprocess
import time

from sizes import SIZES

RATE, SIDE, UNSCORED = 25, SIZES["footage"].side, SIZES["footage"].frames
PICTURES = {"1080p": ("1920x1080", "5M"), "360p": ("640x360", "900k")}
TARGETS = {"1080p": ">= 0.85", "360p": ">= 0.9"}
SECONDS = 20
TRAINING = {"videos": 3, "seconds": 4, "epochs": 2}
HOURS, SLOW_RATE = 8, 5
TINY = ["--image", "32", "--width", "8", "--depth", "1", "--heads", "1"]  # few operations a frame


class Footage:
    def __init__(self, bench, failed):
        self.bench, self.failed = bench, failed
        self.folder = bench.work / "footage"
        self.folder.mkdir(exist_ok=True)
        self.errors = (OSError, subprocess.CalledProcessError, failed)

    # ---- material

    def video(self, name, size, rate, seconds, seed=1, sort="mp4", more=()):
        """Movement under noise, at a camera's bit rate."""
        file = self.folder / f"{name}.{sort}"
        if file.exists():
            return file
        file.parent.mkdir(exist_ok=True)
        part = file.with_stem(file.stem + "-part")
        source = (f"testsrc2=size={size}:rate={RATE}:duration={seconds},"
                  f"noise=alls=10:allf=t:all_seed={seed}")
        self.call(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "libx264",
                   "-preset", "fast", "-b:v", rate, "-maxrate", rate, "-bufsize", rate,
                   "-g", 2 * RATE, "-pix_fmt", "yuv420p", *more, part])
        part.rename(file)
        return file

    def picture(self, picture):
        return self.video(picture, *PICTURES[picture], SECONDS)

    def model(self, name, more=()):
        """A run of the footage preset with one step."""
        run = self.folder / f"model-{name}"
        if not (run / "checkpoint.safetensors").exists():
            self.call([self.bench.normalcy(), "train", self.bench.scene(), "-o", run, "--preset",
                       "footage", "--steps", 1, *more])
        return run

    def call(self, command):
        """-> seconds, processor seconds"""
        if not shutil.which(str(command[0])):
            raise self.failed(f"{command[0]} is not here (Debian: {command[0]})")
        with open(self.bench.work / "peers.log", "a") as log:
            before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            subprocess.run([str(word) for word in command], check=True, stderr=log,
                           stdin=subprocess.DEVNULL)
            seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def decode(self, file):
        return self.call(["ffmpeg", "-v", "error", "-i", file, "-f", "null", "-"])

    # ---- rows

    def go(self):
        for row, names in ((self.row_score, PICTURES), (self.row_convert, ["1080p"]),
                           (self.row_flow, ["flow"]), (self.row_train, ["train"]),
                           (self.row_memory, ["memory"])):
            for name in names:
                label = row.__name__.replace("row_", "footage ")
                label += f" {name}" if name in PICTURES else ""
                if not self.bench.wanted(label):
                    continue
                try:
                    row(label, name)
                except self.errors as why:
                    self.bench.fail(label, why)

    def servers(self, wanted):
        """label -> server; those of peers only where peers are installed"""
        started = {}
        try:
            for label, start in wanted.items():
                started[label] = start()
        except self.failed:
            for server in started.values():
                server.kill()
            raise
        return started

    def opencv(self, task, *words):
        if not self.bench.peers:
            return {}
        return {"OpenCV": lambda: self.bench.peer_opencv(task, *words)}

    def row_score(self, name, picture):
        """The command beside: decoding alone, the network alone, and what one would write with
        OpenCV. The command and ffmpeg count with their start."""
        bench, file, model = self.bench, self.picture(picture), self.model("footage")
        threads, frames, scores = bench.threads, SECONDS * RATE, self.folder / "scores.jsonl"
        peer = "OpenCV + ONNX Runtime f32"
        servers = self.servers(
            {"network": lambda: bench.ours("infer", "footage", "auto", 1, threads),
             "one thread": lambda: bench.ours("infer", "footage", "auto", 1, 1)}
            | self.opencv("score", file, "footage", threads, bench.work / "models"))
        rates = {key: [] for key in ("ours", "decode", "shared", *servers)}
        try:
            for _ in range(2 if bench.args.quick else 5):
                bench.pause()
                seconds, decoding = self.decode(file)
                rates["decode"].append(frames / seconds)
                for label, server in servers.items():
                    bench.pause()
                    rates[label].append(self.rate(server))
                bench.pause()
                seconds, _ = self.call([bench.normalcy(), "score", model, file, "-o", scores,
                                        "--interval", 0])
                if scored(scores) != frames - UNSCORED:
                    raise self.failed(f"{scored(scores)} of {frames} frames have a score")
                rates["ours"].append(frames / seconds)
                # Of processors that decode and predict, and never wait.
                rates["shared"].append(threads / (decoding / frames + 1 / rates["one thread"][-1]))
        finally:
            for server in servers.values():
                server.kill()
        slower = [min(pair) for pair in zip(rates["decode"], rates["network"])]
        beside = {"decode": "ffmpeg decoding alone", "network": "network alone",
                  "shared": "both on shared processors", "OpenCV": peer}
        bench.add(name, rates["ours"], slower, "slower of both alone", "frames/s",
                  higher_is_better=True, target=TARGETS[picture])
        for label in beside:
            if label in rates:
                bench.add(name, rates["ours"], rates[label], beside[label], "frames/s",
                          higher_is_better=True)

    @staticmethod
    def rate(server):
        """Frames a second: of a peer that scores the file, or of the network's frames."""
        answer = server.run()
        if "frames" in answer:
            return answer["frames"] / answer["seconds"]
        return 1 / statistics.median([answer["seconds"], *(server.run()["seconds"]
                                                           for _ in range(20))])

    def row_convert(self, name, picture):
        bench, file = self.bench, self.picture(picture)
        servers = self.servers({"ours": lambda: bench.ours_convert(file, SIDE)}
                               | self.opencv("convert", file, "footage"))
        try:
            times = bench.rounds(servers, 2 if bench.args.quick else 5, 1)
        finally:
            for server in servers.values():
                server.kill()
        bench.add(name, times["ours"], times.get("OpenCV"),
                  "OpenCV, converted whole" if "OpenCV" in times else "", "s",
                  target="ours <= 0.0005 s")

    def row_flow(self, name, _):
        """Time and errors, means over the speeds; the errors have no noise."""
        bench, file = self.bench, self.folder / "flow.bin"
        program = bench.work / "release/bench_flow"
        self.call([program, "write", file])
        kinds = {"OpenCV DIS, medium": "dis", "OpenCV Farneback": "farneback"}
        wanted = {"ours": lambda: bench.ours_flow(file)}
        for label, kind in kinds.items() if bench.peers else ():
            wanted[label] = lambda kind=kind: bench.peer_opencv("flow", file, kind)
        servers, answers = self.servers(wanted), {label: [] for label in wanted}
        try:
            for _ in range(2 if bench.args.quick else 5):
                for label, server in servers.items():
                    bench.pause()
                    answers[label].append(server.run())
        finally:
            for server in servers.values():
                server.kill()

        def add(row, values, unit, target):
            for label in list(kinds)[:len(wanted) - 1] or [""]:
                aim = target if "DIS" in label else None
                bench.add(row, values("ours"), values(label) if label else None, label, unit,
                          target=aim)

        def mean_error(i):
            return lambda label: [statistics.mean(e[i] for e in answers[label][0]["errors"].values())]
        add(name, lambda label: [a["seconds"] for a in answers[label]], "s", ">= 3")
        bench.add(f"{name} to surprise", [a["motion"] for a in answers["ours"]], None, "", "s",
                  target="ours <= 0.002 s")
        add(f"{name} error", mean_error(0), "px", ">= 1")
        add(f"{name} error of what moves", mean_error(1), "px", ">= 1")

    def row_train(self, name, _):
        """Epochs of the preset on a folder of videos: waiting after the first epoch; the first one
        beside decoding alone, and beside the slower of decoding and a later epoch."""
        bench, run = self.bench, self.folder / "train-run"
        files = [self.video(f"training/{i}", *PICTURES["1080p"], TRAINING["seconds"], seed=i)
                 for i in range(1, TRAINING["videos"] + 1)]
        decoding, first, later, stalls = [], [], [], []
        try:
            for _ in range(1 if bench.args.quick else 3):
                bench.pause()
                decoding.append(sum(self.decode(file)[0] for file in files))
                bench.pause()
                shutil.rmtree(run, ignore_errors=True)
                self.call([bench.normalcy(), "train", self.folder / "training", "-o", run,
                           "--preset", "footage", "--epochs", TRAINING["epochs"]])
                epochs, stall = told(run / "log.jsonl")
                first.append(epochs[0])
                later.append(statistics.median(epochs[1:]))
                stalls.append(stall)
        finally:
            shutil.rmtree(run, ignore_errors=True)
        bench.add(f"{name} stall", stalls, None, "", "share", target="ours <= 0.01")
        bench.add(f"{name} first epoch", first, [max(pair) for pair in zip(decoding, later)],
                  "slower of decoding and a later epoch", "s", target=">= 0.85")
        bench.add(f"{name} first epoch", first, decoding, "ffmpeg decoding alone", "s")

    def row_memory(self, name, _):
        """How far the resident memory of `score` grows between a tenth of the frames and all."""
        bench, count = self.bench, HOURS * 3600 * SLOW_RATE // (10 if self.bench.args.quick else 1)
        # Without B-frames, of which a loop would lose some at each joint.
        small = self.video("small", "64x48", "60k", 40, sort="ts", more=["-bf", 0])
        model = self.model("tiny", TINY)
        start = time.perf_counter()
        with open(bench.work / "peers.log", "a") as log:
            feed = subprocess.Popen(["ffmpeg", "-v", "error", "-stream_loop", "-1", "-i", small,
                                     "-c", "copy", "-frames:v", str(count), "-f", "mpegts", "-"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
            ours = subprocess.Popen([bench.normalcy(), "score", model, "-", "--interval", "0",
                                     "--threads", "1"],
                                    stdin=feed.stdout, stdout=subprocess.PIPE, stderr=log)
            feed.stdout.close()
            try:
                frames, resident = watched(ours, count)
                if ours.wait() or frames != count - UNSCORED:
                    raise self.failed(f"{frames} of {count} frames have a score, exit code "
                                      f"{ours.returncode}")
            finally:
                for process in (feed, ours):
                    process.kill()
                    process.wait()
        bench.add(name, [max(resident) - resident[0]], [resident[0]], "resident at a tenth", "bytes",
                  higher_is_better=True, target="ours <= 1048576 bytes", frames=frames,
                  resident=resident, seconds=time.perf_counter() - start)


def scored(file):
    """Lines of a file of scores."""
    with open(file, "rb") as lines:
        return sum(1 for _ in lines)


def told(log):
    """-> seconds of each epoch; the share of time that steps after the first epoch waited"""
    with open(log) as lines:
        entries = [json.loads(line) for line in lines]
    steps = [e for e in entries if "stall" in e and e["epoch"] > 0]
    stall = sum(e["stall"] for e in steps) / sum(e["seconds"] for e in steps)
    return [e["seconds"] for e in entries if e.get("event") == "epoch"], stall


def watched(process, count):
    """Reads its lines -> how many; its resident bytes at each hundredth of `count` from a tenth."""
    out, frames, resident, due = process.stdout.fileno(), 0, [], count // 10
    while data := os.read(out, 65536):
        frames += data.count(b"\n")
        while frames >= due and due < count:
            with open(f"/proc/{process.pid}/status") as status:
                resident += [int(line.split()[1]) * 1024 for line in status
                             if line.startswith("VmRSS")]
            due += count // 100
    return frames, resident
