#!/usr/bin/env python3
"""Markdown tables from what bench/bench.py writes (build/bench/results.json, docs/results/bench/).

usage: tools/bench_tables.py RESULTS.json [TABLE]...   prints the tables
       tools/bench_tables.py --write [FILE.md]...      renews the tables between marks
       tools/bench_tables.py --check [FILE.md]...      exit 1 where one is not what its JSON says

Marks are <!-- bench NAME... TABLE --> and <!-- end -->; NAME is a file of docs/results/bench/.
Without FILE.md: docs/results.md and docs/results/*.md. TABLE: train, one-frame, 8-frames, memory,
start, footage, or aims, which alone takes several NAMEs (a column each).
"""
import json
import os
import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"
MARK = re.compile(r"(<!-- bench ([^\n]*?) ([a-z0-9-]+) -->\n).*?(<!-- end -->)", re.S)
NAME = re.compile(r"(?P<kind>.+?) (?P<size>base|small|tiny|footage)(?P<batch> b\d+)?"
                  r"(?: (?P<precision>\w+))?(?: (?P<threads>\d+)t)?(?P<more> and attention)?"
                  r"|(?P<video>footage .+)")
SIZES = ["base", "small", "tiny", "footage"]
START = "start to first score"
TABLES = {"train": ["train", "train memory", "matmul share", "end to end"],
          "one-frame": ["infer b1"], "8-frames": ["infer b8"],
          "memory": ["infer memory b1", "infer memory b8"], "start": [START],
          "footage": ["footage"], "aims": []}
LABELS = {"train": "training step", "train memory": "peak memory of training",
          "matmul share": "linear layers' products at the best rate, over the step",
          "matmul share and attention": "all products at the best rate, over the step",
          "end to end": "images a second of `train`", START: START,
          "infer b1": "one frame", "infer b8": "8 frames",
          "infer memory b1": "memory of scoring one frame",
          "infer memory b8": "memory of scoring 8 frames",
          "footage score 1080p": "frames a second of `score`, 1920 x 1080",
          "footage score 360p": "frames a second of `score`, 640 x 360",
          "footage convert 1080p": "conversion and resize, 1920 x 1080",
          "footage flow": "flow of two pictures of 360 x 240, one thread",
          "footage flow to surprise": "a frame to the surprise of its motion, one thread",
          "footage flow error": "its mean error",
          "footage flow error of what moves": "its mean error where something moves",
          "footage train stall": "waiting for frames, share of epochs after the first",
          "footage train first epoch": "first epoch on videos of 1920 x 1080",
          "footage memory": "growth of `score` over 8 hours of frames"}
SPEEDS = ["train", "end to end", "infer b1", "infer b8"]


class Row:
    """A row of the JSON in words: what was measured, beside whom, ours, the ratio."""

    def __init__(self, row, all_threads):
        name = NAME.fullmatch(row["name"])
        threads = int(name["threads"] or all_threads)
        self.size, self.kind = name["size"], "footage"
        if not name["video"]:
            self.kind = name["kind"] + (name["batch"] or "")
        self.label = LABELS[name["video"] or self.kind + (name["more"] or "")]
        if name["precision"]:
            self.label += ", " + name["precision"]
        if threads != all_threads:
            self.label += f", {threads} thread" + "s" * (threads > 1)
        self.peer = re.match(r"PyTorch|ONNX Runtime|OpenVINO|.*", row["peer_name"])[0]
        self.ours = figure(row["ours"], row["unit"])
        self.theirs = figure(row.get("peer"), row["unit"])
        self.ours_spread = spread(row.get("ours_spread"), "{:.2f} to {:.2f} s")
        digits = ".2g" if self.kind == START else ".2f"
        self.ratio = format(row["ratio"], digits) if "ratio" in row else ""
        if self.ratio and self.kind in SPEEDS and float(self.ratio) < 1:
            self.ratio = f"**{self.ratio}**"
        self.ratio_spread = spread(row.get("ratio_spread"), " ({:.2f}, {:.2f})")
        aim = (row.get("target") or "").replace("ours ", "")
        if row["unit"] in ("share", "bytes") and (row["target"] or "").startswith("ours"):
            aim = "<= " + figure(float(aim.split()[1]), row["unit"])
        self.aim = aim.replace("<=", "at most").replace(">=", "at least")
        self.met = {True: "met", False: "not met", None: "not known"}[row.get("met")]


def figure(value, unit):
    if value is None:
        return ""
    if unit == "bytes":
        return f"{value / 1e6:.{1 if value < 1e7 else 0}f} MB"
    if unit == "px":
        return f"{value:.3f} px"
    if unit == "share":
        return f"{100 * value:.2g} %"
    if unit in ("images/s", "frames/s"):
        return f"{value:.3g}" if value < 999.5 else f"{value:.0f}"
    if unit == "s":
        return f"{value:#.3g} s" if value >= 0.1 else f"{value * 1e3:.3g} ms"
    return f"{value:.3g} s" if value >= 0.9995 else f"{value * 1e3:.3g} ms"


def spread(ends, form):
    """Of a single reading there is none."""
    return form.format(*ends) if ends and ends[1] > ends[0] else ""


def listed(*parts):
    return ", ".join(part for part in parts if part)


def table(heads, lines):
    """Columns in which nothing stands are left out; without lines there is no table."""
    kept = [i for i in range(len(heads)) if any(line[i] for line in lines)]
    rows = [heads, ["---"] * len(heads), *lines]
    return "".join("| " + " | ".join(row[i] or "-" for i in kept) + " |\n" for row in rows if kept)


def by_size(rows):
    """A line a measurement and peer, a column a size; ours stands in the line of the first peer."""
    sizes = [size for size in SIZES if any(r.size == size for r in rows)]
    lines, seen = {}, set()
    for r in rows:
        cells = lines.setdefault((r.label, r.peer), {})
        cells[f"aim, `{r.size}`"] = r.aim
        ours = "" if (r.label, r.size) in seen else r.ours
        cells[r.size] = listed(ours, r.ratio + r.ratio_spread)
        seen.add((r.label, r.size))
    aims = [f"aim, `{size}`" for size in sizes]
    return table(["measured", "beside", *aims, *(f"`{size}`" for size in sizes)],
                 [[*key, *(cells.get(column, "") for column in (*aims, *sizes))]
                  for key, cells in lines.items()])


def start(rows):
    return table([START, "least to greatest", "beside", "its", "times as fast", "aim"],
                 [[r.ours, r.ours_spread, r.peer, r.theirs, r.ratio, listed(r.aim, r.met)]
                  for r in rows])


def footage(rows):
    """A line a measurement and what stands beside it."""
    lines, seen = [], set()
    for r in rows:
        ours = "" if r.label in seen else r.ours
        lines.append([r.label, ours, r.peer, r.theirs, r.ratio + r.ratio_spread,
                      listed(r.aim, r.aim and r.met)])
        seen.add(r.label)
    return table(["measured", "normalcy", "beside", "its", "ratio", "aim"], lines)


def aims(benches):
    """Of `base`: a line an aim, a column a bench."""
    lines = {}
    for column, (_, rows) in enumerate(benches):
        for r in rows:
            if r.aim and r.size == "base":
                cells = lines.setdefault((r.label, r.peer, r.aim), [""] * len(benches))
                cells[column] = listed(r.ours, r.ratio, r.met)
    return table(["`base`", "beside", "aim", *(title for title, _ in benches)],
                 [[*key, *cells] for key, cells in lines.items()])


def load(path):
    """-> its title and its rows"""
    bench = json.loads(Path(path).read_text())
    machine = bench["machine"]
    rows = [Row(row, machine["threads"]) for row in bench["rows"] if "failed" not in row]
    return bench.get("title", machine["cpu"]), rows


def render(benches, name):
    if name == "aims":
        return aims(benches)
    rows = [r for kind in TABLES[name] for _, its in benches for r in its if r.kind == kind]
    return {"start": start, "footage": footage}.get(name, by_size)(rows)


def renewed(text):
    """The text with each table between marks made anew."""
    def between(mark):
        benches = [load(DOCS / f"results/bench/{name}.json") for name in mark[2].split()]
        return f"{mark[1]}\n{render(benches, mark[3])}\n{mark[4]}"
    return MARK.sub(between, text)


def main(words):
    if not words or words[0] in ("-h", "--help"):
        sys.exit(__doc__)
    if words[0] not in ("--write", "--check"):
        for name in words[1:] or TABLES:
            print(render([load(words[0])], name))
        return
    wrong = False
    for path in words[1:] or [DOCS / "results.md", *sorted(DOCS.glob("results/*.md"))]:
        text = Path(path).read_text()
        if renewed(text) == text:
            continue
        if words[0] == "--write":
            Path(path).write_text(renewed(text))
        else:
            wrong = True
            print(f"{os.path.relpath(path)}: a table is not what its JSON says; "
                  "tools/bench_tables.py --write renews it", file=sys.stderr)
    sys.exit(wrong)


if __name__ == "__main__":
    main(sys.argv[1:])
