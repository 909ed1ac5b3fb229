"""What every peer says to bench.py (bench_ours.c speaks the same)."""
import json
import sys
import time


def memory(field):
    """Bytes of VmRSS or VmHWM."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))


def serve(step, started, facts):
    """Warms `step` up, then runs it once for each line `run`, until `quit`. What step returns, a
    dict or None, goes into the answer."""
    begun = time.perf_counter()
    for warm in range(10):
        step()
        if warm >= 1 and time.perf_counter() - begun > 3:
            break
    ready = facts | {"startup": time.perf_counter() - started, "rss": memory("VmRSS"),
                     "startup_peak": memory("VmHWM")}
    with open("/proc/self/clear_refs", "w") as reset:
        reset.write("5")  # the peak from here on: without imports and compilers
    print("ready", json.dumps(ready), flush=True)
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        before = time.perf_counter()
        more = step() or {}
        print(json.dumps({"seconds": time.perf_counter() - before} | more), flush=True)
    print(json.dumps({"peak_rss": memory("VmHWM")}), flush=True)
