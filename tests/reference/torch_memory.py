#!/usr/bin/env python3
"""Reference of the memories of MemAE and MNAD between the network and its decoder, in PyTorch.

Writes memory.safetensors beside this file: for each of the two a network smaller than that of
torch_dump.py, its results, gradients and (MNAD) its items after one update. The formulas are those
of the two publications' code, written out in full; float64, rounded once.
"""
import itertools
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import torch_dump as base

CONFIG = dict(base.TINY, image=24, mask_cell=8, width=16, depth=1)
ITEMS = {"memae": 40, "mnad": 6}
SHRINK, ENTROPY, COMPACT, SEPARATE = 0.0025, 2e-4, 0.1, 0.1


def memae(z, items):
    """z (B,N,D) -> what is read (B,N,D), loss, distance from what is no derivative"""
    w = F.linear(z, items).softmax(dim=-1)
    margin = (w / SHRINK - 1).abs().min()
    w = F.relu(w - SHRINK) * w / ((w - SHRINK).abs() + 1e-12)
    w = F.normalize(w, p=1, dim=-1)
    entropy = -(w * (w + 1e-12).log()).sum(-1).mean()
    return w @ items, ENTROPY * entropy, margin


def mnad(z, items):
    """z (B,N,D) -> queries and what is read (B,N,2D), loss, margin; items have no gradient"""
    items, q = items.detach(), F.normalize(z, dim=-1)
    logits = q @ items.T
    w = logits.softmax(dim=-1).detach()
    (top, nearest), flat = logits.flatten(0, 1).topk(3), q.flatten(0, 1)
    near, far = items[nearest[:, 0]], items[nearest[:, 1]]
    compact = nn.MSELoss()(flat, near)
    separate = nn.TripletMarginLoss(margin=1.0)(flat, near, far)
    hinge = F.pairwise_distance(flat, near) - F.pairwise_distance(flat, far) + 1
    margin = min((top[:, :2] - top[:, 1:]).min(), hinge.abs().min())
    return (torch.cat([q, w @ items], dim=-1), COMPACT * compact + SEPARATE * separate, margin)


def updated(z, items):
    """The items after a step: m + the sum of v' q over the queries each is the nearest to."""
    q = F.normalize(z, dim=-1).flatten(0, 1)
    logits = q @ items.T
    v, nearest, out = logits.softmax(dim=0), logits.argmax(dim=1), items.clone()
    for i in range(len(items)):
        mine = nearest == i
        if mine.any():
            out[i] += ((v[mine, i] / v[:, i].max())[:, None] * q[mine]).sum(0)
    return F.normalize(out, dim=1)


MEMORY = {"memae": memae, "mnad": mnad}


def draw_case(kind, seed, dtype):
    c = CONFIG
    w, x, y, mask = base.draw_case(seed, c, dtype)
    rng = torch.Generator().manual_seed(seed + 1000)
    items = torch.randn(ITEMS[kind], c["width"], generator=rng)
    if kind == "mnad":
        items = F.normalize(items, dim=1)
        shape = (c["channels"] * c["patch"] ** 2, 2 * c["width"], 1, 1)
        w["decoder.0.weight"] = 0.6 * (2 * torch.rand(shape, generator=rng) - 1)
    else:
        items = 0.5 * items
    w["memory.items"] = items
    w = {n: p.detach().float().to(dtype).requires_grad_() for n, p in w.items()}
    return w, x, y, mask


def run_case(kind, seed, dtype):
    c, (w, x, y, mask) = CONFIG, draw_case(kind, seed, dtype)
    n, grid = len(x), c["image"] // c["patch"]
    out = {f"weights/{name}": p.detach().clone() for name, p in w.items()}
    features = base.encode(w, torch.cat([x, x]), torch.cat([0 * mask, mask]), c)
    read, memory, margin = MEMORY[kind](features[:, 1:], w["memory.items"])
    tokens = read.transpose(1, 2).unflatten(2, (grid, grid))
    pred = F.conv2d(tokens, w["decoder.0.weight"], w["decoder.0.bias"])
    pred = base.pixel_shuffle(pred, c["patch"])
    pooled = features[:, 1:].mean(dim=1)
    total = (sum(F.mse_loss(p, y) + base.gradient_loss(p, y) for p in (pred[:n], pred[n:]))
             + c["lambda_cst"] * base.consistency(pooled[n:], pooled[:n]) + memory)
    total.backward()
    out |= {"x": x, "y": y, "mask": mask, "prediction": pred, "loss_memory": memory.view(1),
            "loss_total": total.view(1)}
    out |= {f"grads/{name}": p.grad for name, p in w.items() if p.grad is not None}
    if kind == "mnad":
        out["items_after"] = updated(features[:, 1:], w["memory.items"])
    margins = margin.item(), base.kink_margin(pred, y)
    return {name: tensor.detach() for name, tensor in out.items()}, margins


def main():
    torch.set_num_threads(1)
    tensors, seeds, worst = {}, {}, {}
    for kind in MEMORY:
        for seed in itertools.count():
            exact, margins = run_case(kind, seed, torch.float64)
            if margins[0] > 1e-4 and margins[1] > 1e-5:
                break
        single, _ = run_case(kind, seed, torch.float32)
        for name, value in exact.items():
            error = (single[name].double() - value).abs().max() / value.abs().max()
            group = f"{kind}/{name.split('/')[0]}"
            worst[group] = max(worst.get(group, 0.0), error.item())
        tensors |= {f"{kind}/{name}": value for name, value in exact.items()}
        seeds[kind] = seed
    for group, error in worst.items():
        print(f"{group:20} float32 differs by {error:.1e} of the tensor's largest value")
    path = Path(__file__).with_name("memory.safetensors")
    base.write_safetensors(path, tensors, {"torch": torch.__version__, "seeds": json.dumps(seeds),
                                           "config": json.dumps(CONFIG)})
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes, seeds {seeds}")


if __name__ == "__main__":
    main()
