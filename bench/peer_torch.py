#!/usr/bin/env python3
"""The same network and training step in PyTorch, as fast as it goes: a peer of bench.py.

usage: peer_torch.py train|infer SIZE f32|bf16 MODE BATCH THREADS
Says `ready {...}` once warm, then answers each line `run` on stdin with one timed iteration (a
whole training step on BATCH pairs, or BATCH frames to their predictions), and `quit` with the
peak memory. MODE: words joined by "-": eager or compile (inductor); math instead of
scaled_dot_product_attention; half = bf16 weights instead of autocast; freeze = inductor folds the
weights; tune = and times its own products, which may use AMX, against oneDNN's.

       peer_torch.py save|first SIZE PRECISION MODE FILE THREADS
Writes a checkpoint, or loads it and says `{}` when one frame is predicted.
"""
import contextlib
import json
import math
import sys
import time

STARTED = time.perf_counter()

import torch
import torch.nn.functional as F
from torch import nn

from peer import serve
from sizes import SIZES

CELL, LAMBDA_CST = 32, 0.3


# ---- network --------------------------------------------------------------------------------

def relative_index(grid):
    """(T, T) row of the bias table for each (query, key); the last three rows are for cls."""
    n, span = grid * grid, 2 * grid - 1
    row, col = torch.arange(n) // grid, torch.arange(n) % grid
    index = torch.empty(n + 1, n + 1, dtype=torch.long)
    index[1:, 1:] = ((row[:, None] - row[None] + grid - 1) * span
                     + col[:, None] - col[None] + grid - 1)
    index[0, :], index[:, 0], index[0, 0] = span * span, span * span + 1, span * span + 2
    return index


class Attention(nn.Module):
    def __init__(self, width, heads, math_form):
        super().__init__()
        self.heads, self.math_form = heads, math_form
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(width))
        self.v_bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("k_bias", torch.zeros(width))
        self.proj = nn.Linear(width, width)

    def forward(self, x, bias):
        B, T, D = x.shape
        full = torch.cat([self.q_bias, self.k_bias, self.v_bias])
        qkv = F.linear(x, self.qkv.weight, full).view(B, T, 3, self.heads, D // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if self.math_form:
            scores = (q * (D // self.heads) ** -0.5) @ k.transpose(2, 3) + bias
            out = scores.softmax(dim=3).to(v.dtype) @ v
        else:
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
        return self.proj(out.transpose(1, 2).reshape(B, T, D))


class Block(nn.Module):
    def __init__(self, size, drop_path, math_form):
        super().__init__()
        width = size.width
        self.drop, self.drop_path = size.drop, drop_path
        self.gamma_1 = self.gamma_2 = None
        if size.layer_scale:
            self.gamma_1 = nn.Parameter(torch.full((width,), 0.1))
            self.gamma_2 = nn.Parameter(torch.full((width,), 0.1))
        self.norm1, self.norm2 = nn.LayerNorm(width, 1e-6), nn.LayerNorm(width, 1e-6)
        self.attn = Attention(width, size.heads, math_form)
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def branch(self, x, gamma):
        if self.drop > 0:
            x = F.dropout(x, self.drop, self.training)
        if gamma is not None:
            x = gamma * x
        if self.training and self.drop_path > 0:
            keep = 1 - self.drop_path
            x = x * (torch.empty(len(x), 1, 1, dtype=x.dtype).bernoulli_(keep) / keep)
        return x

    def forward(self, x, bias):
        x = x + self.branch(self.attn(self.norm1(x), bias), self.gamma_1)
        return x + self.branch(self.fc2(F.gelu(self.fc1(self.norm2(x)))), self.gamma_2)


class Network(nn.Module):
    def __init__(self, size, math_form=False):
        super().__init__()
        self.size, width, colours = size, size.width, 3 * size.patch ** 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, width))
        self.patch = nn.Linear(size.frames * colours, width)
        self.table = nn.Parameter(torch.zeros((2 * size.grid - 1) ** 2 + 3, size.heads))
        self.register_buffer("index", relative_index(size.grid).flatten())
        rates = [size.drop_path * i / (size.depth - 1) for i in range(size.depth)]
        self.blocks = nn.ModuleList(Block(size, rate, math_form) for rate in rates)
        self.norm = nn.LayerNorm(width, 1e-6)
        self.decoder = nn.Linear(width, colours)

    def forward(self, frames, mask=None):
        """frames (B,3F,S,S); with mask (2B,N) the batch is doubled, the embedding is shared."""
        B, C, G, P, T = *frames.shape[:2], self.size.grid, self.size.patch, self.size.tokens
        x = frames.view(B, C, G, P, G, P).permute(0, 2, 4, 1, 3, 5)
        x = self.patch(x.reshape(B, G * G, C * P * P))
        if mask is not None:
            x = torch.where(mask[:, :, None], self.mask_token.to(x.dtype), x.repeat(2, 1, 1))
        x = torch.cat([self.cls_token.to(x.dtype).expand(len(x), 1, -1), x], dim=1)
        if self.size.drop > 0:
            x = F.dropout(x, self.size.drop, self.training)
        bias = self.table[self.index].view(T, T, -1).permute(2, 0, 1).contiguous()[None]
        for block in self.blocks:
            x = block(x, bias)
        features = self.norm(x)
        out = self.decoder(features[:, 1:]).view(-1, G, G, 3, P, P)
        out = out.permute(0, 3, 1, 4, 2, 5).reshape(-1, 3, G * P, G * P)
        return features, out + frames[:, -3:] if self.size.residual else out


# ---- training step --------------------------------------------------------------------------

def gradient_loss(pred, target):
    def differences(image):
        return (F.pad(image, (0, 1))[..., 1:] - image,
                F.pad(image, (0, 0, 0, 1))[..., 1:, :] - image)
    return sum((t.abs() - g.abs()).abs().mean()
               for g, t in zip(differences(pred), differences(target)))


def pair_loss(net, x, y, mask):
    features, pred = net(x, mask)
    if mask is None:
        loss = F.mse_loss(pred.float(), y)
        return loss + gradient_loss(pred.float(), y) if net.size.gradient_loss else loss
    n, pred, features = len(x), pred.float(), features.float()
    p, q = (f.log_softmax(1) for f in features[:, 1:].mean(dim=1).chunk(2))
    consistency = 0.5 * ((q.exp() - p.exp()) * (q - p)).sum()
    return (F.mse_loss(pred[:n], y) + gradient_loss(pred[:n], y) + F.mse_loss(pred[n:], y)
            + gradient_loss(pred[n:], y) + LAMBDA_CST * consistency)


def draw_mask(size, pairs):
    """(2 pairs, N): nothing in the clean half, 37 of 49 cells in the other."""
    if not size.doubled:
        return None
    cells = size.side // CELL
    mask = torch.zeros(2 * pairs, cells * cells, dtype=torch.bool)
    for row in mask[pairs:]:
        row[torch.randperm(cells * cells)[:math.ceil(0.75 * cells * cells)]] = True
    scale = CELL // size.patch
    mask = mask.view(-1, cells, cells).repeat_interleave(scale, 1).repeat_interleave(scale, 2)
    return mask.flatten(1)


def make_optimizer(net):
    named = [(n, p) for n, p in net.named_parameters() if p.requires_grad]
    decayed = [p for n, p in named if p.dim() > 1 and n != "cls_token"]
    rest = [p for n, p in named if p.dim() == 1 or n == "cls_token"]
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=net.size.lr, betas=(0.9, net.size.beta2), fused=True)


def precision_context(precision, words):
    if precision == "bf16" and "half" not in words:
        return torch.autocast("cpu", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def compiled(function, words):
    if "compile" not in words:
        return function
    return torch.compile(function, dynamic=False, fullgraph=True)


def train(size, precision, words, pairs):
    net = Network(size, "math" in words).train()
    net.mask_token.requires_grad_(size.doubled)  # without a mask it has no gradient
    optimizer, loss = make_optimizer(net), compiled(pair_loss, words)
    x = torch.rand(pairs, 3 * size.frames, size.side, size.side) * 2 - 1
    y, mask = torch.rand(pairs, 3, size.side, size.side), draw_mask(size, pairs)
    parameters = [p for p in net.parameters() if p.requires_grad]

    def step():
        optimizer.zero_grad(set_to_none=True)
        with precision_context(precision, words):
            value = loss(net, x, y, mask)
        value.backward()
        nn.utils.clip_grad_norm_(parameters, 5.0, foreach=True)
        optimizer.step()
        if not math.isfinite(value.item()):
            raise SystemExit("the loss is not finite")
    return step


def infer(size, precision, words, batch):
    net = Network(size, "math" in words).eval().requires_grad_(False)
    source = torch.rand(batch, 3 * size.frames, size.side, size.side) * 2 - 1
    if "half" in words:
        net = net.to(torch.bfloat16)
    frames = torch.empty_like(source, dtype=torch.bfloat16 if "half" in words else torch.float32)
    out = torch.empty(batch, 3, size.side, size.side)
    forward = compiled(lambda f: net(f)[1], words)

    def step():
        with torch.inference_mode(), precision_context(precision, words):
            frames.copy_(source)
            out.copy_(forward(frames))
    return step


def first(size, precision, words, file):
    with torch.device("meta"):
        net = Network(size, "math" in words)
    net.load_state_dict(torch.load(file, mmap=True), assign=True)
    with torch.inference_mode(), precision_context(precision, words):
        net.eval()(torch.rand(1, 3 * size.frames, size.side, size.side).to(net.norm.weight.dtype))


def save(size, words, file):
    net = Network(size, "math" in words)
    torch.save((net.to(torch.bfloat16) if "half" in words else net).state_dict(), file)


def main():
    task, size, precision, mode, batch, threads = sys.argv[1:]
    size, words = SIZES[size], set(mode.split("-"))
    torch.set_num_threads(int(threads))
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    if "freeze" in words:
        import torch._inductor.config as inductor
        inductor.freezing = True
        inductor.max_autotune = "tune" in words
    if task == "first":
        first(size, precision, words, batch)
        print("{}", flush=True)
        return
    if task == "save":
        save(size, words, batch)
        return
    step = {"train": train, "infer": infer}[task](size, precision, words, int(batch))
    serve(step, STARTED, {"version": torch.__version__})


if __name__ == "__main__":
    main()
