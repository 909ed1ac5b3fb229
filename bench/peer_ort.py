#!/usr/bin/env python3
"""Inference in ONNX Runtime: a peer of bench.py, same protocol as peer_torch.py.

usage: peer_ort.py infer SIZE f32|int8 MODE BATCH THREADS FOLDER
MODE: the FORM of peer_onnx.py. Its CPU provider has no bf16 products, so there is no such row.
"""
import sys
import time

STARTED = time.perf_counter()

import numpy
import onnxruntime

from peer import serve
from peer_onnx import frames as frames_of
from peer_onnx import path


def main():
    _, size, _, mode, batch, threads, folder = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = int(threads), 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path(folder, size, int(batch), mode), options,
                                           providers=["CPUExecutionProvider"])
    source = frames_of(int(batch))
    frames, out = numpy.empty_like(source), numpy.empty_like(source)
    binding = session.io_binding()
    for bind, name, array in ((binding.bind_input, "frames", frames),
                              (binding.bind_output, "prediction", out)):
        bind(name, "cpu", 0, numpy.float32, array.shape, array.ctypes.data)

    def step():
        numpy.copyto(frames, source)
        session.run_with_iobinding(binding)

    serve(step, STARTED, {"version": onnxruntime.__version__})


if __name__ == "__main__":
    main()
