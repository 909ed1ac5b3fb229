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


class Network:
    """`run` reads the array `frames` and fills the array `out`."""

    def __init__(self, file, frames, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(file, options,
                                                    providers=["CPUExecutionProvider"])
        self.frames, self.out = frames, numpy.empty_like(frames[:, -3:], order="C")
        self.binding = self.session.io_binding()
        for bind, name, array in ((self.binding.bind_input, "frames", self.frames),
                                  (self.binding.bind_output, "prediction", self.out)):
            bind(name, "cpu", 0, numpy.float32, array.shape, array.ctypes.data)

    def run(self):
        self.session.run_with_iobinding(self.binding)


def main():
    _, size, _, mode, batch, threads, folder = sys.argv[1:]
    source = frames_of(size, int(batch))
    network = Network(path(folder, size, int(batch), mode), numpy.empty_like(source), int(threads))

    def step():
        numpy.copyto(network.frames, source)
        network.run()

    serve(step, STARTED, {"version": onnxruntime.__version__})


if __name__ == "__main__":
    main()
