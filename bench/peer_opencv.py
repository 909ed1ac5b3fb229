#!/usr/bin/env python3
"""What one would write with OpenCV and ONNX Runtime: a peer of bench.py, protocol in peer.py.

usage: peer_opencv.py score FILE SIZE THREADS FOLDER
An iteration decodes the whole file with VideoCapture, resizes each frame, predicts it in f32 from
those before it and computes its PSNR.

       peer_opencv.py convert FILE SIZE
The median seconds of conversion to BGR and resize of a decoded frame, on one thread. It comes after
a pause, in which the decoder's threads finish what they have begun.

       peer_opencv.py flow FILE dis|farneback
The median seconds of a pair of pictures of bench_flow.c on one thread, and the errors of the flow as
it has them: at half size, so that both are compared at the same places.
"""
import statistics
import sys
import time

STARTED = time.perf_counter()

import cv2
import numpy

from peer import serve
from sizes import SIZES

CONVERTED, PAUSE = 100, 0.02  # frames of an iteration; seconds


def open_video(file):
    video = cv2.VideoCapture(file, cv2.CAP_FFMPEG)
    if not video.isOpened():
        raise SystemExit(f"OpenCV cannot open {file}")
    return video


def scored(file, size, threads, folder):
    from peer_onnx import frames as frames_of
    from peer_onnx import path
    from peer_ort import Network
    cv2.setNumThreads(threads)
    network = Network(path(folder, size, 1, "f32"), frames_of(size, 1), threads)
    side, before, change = SIZES[size].side, network.frames, numpy.empty_like(network.out)

    def step():
        video, count, psnr = open_video(file), 0, []
        while True:
            good, picture = video.read()
            if not good:
                break
            small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)
            y = small.transpose(2, 0, 1).astype("f4") / 127.5 - 1
            if count >= SIZES[size].frames:
                network.run()
                numpy.subtract(network.out[0], y, out=change[0])
                psnr.append(-10 * numpy.log10(numpy.mean(change * change) / 4))
            before[:, :-3] = before[:, 3:].copy()  # the window moves on
            before[0, -3:] = y
            count += 1
        return {"frames": count, "lowest": float(min(psnr))}
    return step


def converted(file, size):
    cv2.setNumThreads(1)
    side, video = SIZES[size].side, open_video(file)

    def step():
        nonlocal video
        seconds = []
        while len(seconds) < CONVERTED:
            if not video.grab():
                video = open_video(file)
                continue
            time.sleep(PAUSE)
            start = time.perf_counter()
            _, picture = video.retrieve()
            cv2.resize(picture, (side, side), interpolation=cv2.INTER_LINEAR)
            seconds.append(time.perf_counter() - start)
        return {"seconds": statistics.median(seconds)}
    return step


def flows(file, kind):
    cv2.setNumThreads(1)
    width, height = 360, 240
    pair = numpy.dtype([("grey", "u1", (2, height, width)), ("mask", "u1", (height, width)),
                        ("speed", "f4")])
    pairs = numpy.fromfile(file, pair)
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def halves(values):
        return values.reshape(height // 2, 2, width // 2, 2, *values.shape[2:])

    def step():
        seconds, errors = [], {}
        for p in pairs:
            start = time.perf_counter()
            if kind == "dis":
                flow = dis.calc(*p["grey"], None)
            else:
                flow = cv2.calcOpticalFlowFarneback(*p["grey"], None, 0.5, 3, 15, 3, 5, 1.2, 0)
            seconds.append(time.perf_counter() - start)
            moves = halves(p["mask"]).min((1, 3)) >= 128
            flow = halves(flow).mean((1, 3))
            error = numpy.hypot(flow[..., 0] - moves * p["speed"], flow[..., 1])
            errors[f"{p['speed']:g}"] = [float(error.mean()), float(error[moves].mean())]
        return {"seconds": statistics.median(seconds), "errors": errors}
    return step


def main():
    task, file, size, *rest = sys.argv[1:]
    if task == "flow":
        step = flows(file, size)
    elif task == "score":
        step = scored(file, size, int(rest[0]), rest[1])
    else:
        step = converted(file, size)
    serve(step, STARTED, {"version": cv2.__version__})


if __name__ == "__main__":
    main()
