#!/usr/bin/env python3
"""The network as ONNX files, for the peers that only infer. Weights are random: speed is the same.

usage: peer_onnx.py FOLDER SIZE BATCH FORM    writes FOLDER/SIZE-BATCH-FORM.onnx
FORM: f32; or int8 with a scale for each channel of a weight, calibrated on generated frames:
ONNX Runtime's static QDQ quantization of linear layers, u8s8 or s8s8 (activations, weights); or
nncf, by the tool of OpenVINO, which writes .xml.
"""
import subprocess
import sys
from pathlib import Path

import numpy

from sizes import SIZES

CALIBRATION = 4


def target(folder, size, batch, form):
    return Path(folder) / f"{size}-{batch}-{form}{'.xml' if form == 'nncf' else '.onnx'}"


def frames(size, batch, seed=0):
    side, channels = SIZES[size].side, 3 * SIZES[size].frames
    source = numpy.random.default_rng(seed)
    return source.uniform(-1, 1, (batch, channels, side, side)).astype("f4")


def path(folder, size, batch, form):
    """Made in a process of its own, so that the peer's memory is its own."""
    file = target(folder, size, batch, form)
    if not file.exists():
        if form != "f32":
            path(folder, size, batch, "f32")
        subprocess.run([sys.executable, __file__, folder, size, str(batch), form], check=True,
                       stdout=sys.stderr)
    return str(file)


def export(file, size, batch):
    import torch
    from peer_torch import Network

    class Predict(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.net = Network(SIZES[size]).eval().requires_grad_(False)

        def forward(self, frames):
            return self.net(frames)[1]

    torch.onnx.export(Predict(), (torch.from_numpy(frames(size, batch)),), file, dynamo=True,
                      external_data=False, input_names=["frames"], output_names=["prediction"],
                      opset_version=20)


def quantize(file, source, form, size, batch):
    import onnx
    from onnxruntime.quantization import (CalibrationDataReader, QuantFormat, QuantType,
                                          quantize_static)
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Frames(CalibrationDataReader):
        def __init__(self):
            self.left = [frames(size, batch, seed) for seed in range(CALIBRATION)]

        def get_next(self):
            return {"frames": self.left.pop()} if self.left else None

    prepared = file + ".prepared"
    quant_pre_process(source, prepared, skip_symbolic_shape=True)
    graph = onnx.load(prepared).graph
    constant = {t.name for t in graph.initializer}
    constant |= {n.output[0] for n in graph.node if n.op_type == "Constant"}
    products = [n.name for n in graph.node
                if n.op_type == "MatMul" and not constant & set(n.input)]
    quantize_static(prepared, file, Frames(), quant_format=QuantFormat.QDQ, per_channel=True,
                    op_types_to_quantize=["MatMul", "Gemm"], weight_type=QuantType.QInt8,
                    activation_type=QuantType.QUInt8 if form == "u8s8" else QuantType.QInt8,
                    nodes_to_exclude=products,
                    extra_options={"ActivationSymmetric": form == "s8s8"})
    Path(prepared).unlink()


def quantize_nncf(file, source, size, batch):
    import nncf
    import openvino
    data = nncf.Dataset([frames(size, batch, seed) for seed in range(CALIBRATION)])
    model = nncf.quantize(openvino.Core().read_model(source), data, subset_size=CALIBRATION,
                          model_type=nncf.ModelType.TRANSFORMER)
    openvino.save_model(model, file, compress_to_fp16=False)


def main():
    folder, size, batch, form = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    file = target(folder, size, batch, form)
    part = str(file.with_stem(file.stem + "-part"))
    if form == "f32":
        export(part, size, int(batch))
    else:
        source = path(folder, size, batch, "f32")
        if form == "nncf":
            quantize_nncf(part, source, size, int(batch))
            Path(part).with_suffix(".bin").rename(file.with_suffix(".bin"))
        else:
            quantize(part, source, form, size, int(batch))
    Path(part).rename(file)


if __name__ == "__main__":
    main()
