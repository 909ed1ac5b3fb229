#!/usr/bin/env python3
"""Inference in OpenVINO: a peer of bench.py, same protocol as peer_torch.py.

usage: peer_openvino.py infer SIZE f32|bf16|int8 MODE BATCH THREADS FOLDER
MODE: the FORM of peer_onnx.py; "+bf16" runs what is not int8 in bf16.
"""
import sys
import time

STARTED = time.perf_counter()

import numpy
import openvino

from peer import serve
from peer_onnx import frames as frames_of
from peer_onnx import path


def main():
    _, size, precision, mode, batch, threads, folder = sys.argv[1:]
    form, _, rest = mode.partition("+")
    hint = "bf16" if "bf16" in (precision, rest) else "f32"
    core, batch = openvino.Core(), int(batch)
    model = core.compile_model(path(folder, size, batch, form), "CPU", {
        "INFERENCE_PRECISION_HINT": hint, "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "CPU_DENORMALS_OPTIMIZATION": "YES"})
    request, source = model.create_infer_request(), frames_of(size, batch)
    frames = numpy.empty_like(source)
    request.set_input_tensor(openvino.Tensor(frames, shared_memory=True))

    def step():
        numpy.copyto(frames, source)
        request.infer()

    serve(step, STARTED, {"version": openvino.__version__})


if __name__ == "__main__":
    main()
