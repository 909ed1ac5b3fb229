#!/usr/bin/env python3
"""Reference of the network and the training step, in plain PyTorch.

Writes tiny.safetensors beside this file: the weights, inputs, activations, losses,
gradients and ten optimizer steps of a very small model, which the C tests compare with.
Everything is computed in float64 from float32-representable inputs and then rounded once,
so the numbers carry no rounding noise of their own. Shape letters: B images, L tokens
(cls first), D width, H heads, P patch side.
"""
import itertools
import json
import math
import struct
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

TINY = dict(image=32, patch=8, channels=3, width=24, depth=3, heads=2, mlp_ratio=4,
            ln_eps=1e-6, dropout=0.0, drop_path=0.0, mask_cell=16, mask_ratio=0.5, pairs=2,
            lambda_cst=0.3, weight_decay=0.05, beta1=0.9, beta2=0.999, adam_eps=1e-8,
            clip=5.0, lr=1e-3, lr_min=5e-6, lr_warmup_init=5e-7, warmup_steps=4,
            total_steps=20, steps=10)
BASE = dict(TINY, image=224, patch=16, width=768, depth=12, heads=12)


# ---- network --------------------------------------------------------------------------------

def shapes(c):
    """Name -> shape of every trainable tensor, by the names and in the order of SimMIM."""
    D, P, C, hidden = c["width"], c["patch"], c["channels"], c["mlp_ratio"] * c["width"]
    table = (2 * (c["image"] // P) - 1) ** 2 + 3
    block = {"gamma_1": (D,), "gamma_2": (D,), "norm1.weight": (D,), "norm1.bias": (D,),
             "attn.q_bias": (D,), "attn.v_bias": (D,), "attn.qkv.weight": (3 * D, D),
             "attn.proj.weight": (D, D), "attn.proj.bias": (D,),
             "norm2.weight": (D,), "norm2.bias": (D,),
             "mlp.fc1.weight": (hidden, D), "mlp.fc1.bias": (hidden,),
             "mlp.fc2.weight": (D, hidden), "mlp.fc2.bias": (D,)}
    return ({"encoder.cls_token": (1, 1, D), "encoder.mask_token": (1, 1, D),
             "encoder.patch_embed.proj.weight": (D, C, P, P), "encoder.patch_embed.proj.bias": (D,),
             "encoder.rel_pos_bias.relative_position_bias_table": (table, c["heads"])}
            | {f"encoder.blocks.{i}.{n}": s for i in range(c["depth"]) for n, s in block.items()}
            | {"encoder.norm.weight": (D,), "encoder.norm.bias": (D,),
               "decoder.0.weight": (C * P * P, D, 1, 1), "decoder.0.bias": (C * P * P,)})


def relative_index(grid):
    """(L, L) row of the bias table for each (query, key); the last three rows are for cls."""
    n, span = grid * grid, 2 * grid - 1
    row, col = torch.arange(n) // grid, torch.arange(n) % grid
    index = torch.empty(n + 1, n + 1, dtype=torch.long)
    index[1:, 1:] = ((row[:, None] - row[None] + grid - 1) * span
                     + col[:, None] - col[None] + grid - 1)
    index[0, :] = span * span        # cls looks at a token
    index[:, 0] = span * span + 1    # a token looks at cls
    index[0, 0] = span * span + 2
    return index


def attention(w, at, x, bias, heads):
    """x (B,L,D), bias (H,L,L) -> (B,L,D)"""
    B, L, D = x.shape
    q, k, v = F.linear(x, w[at + "qkv.weight"]).split(D, dim=2)  # keys have no bias
    q, v = (q + w[at + "q_bias"]) * (D // heads) ** -0.5, v + w[at + "v_bias"]
    q, k, v = (t.view(B, L, heads, D // heads).transpose(1, 2) for t in (q, k, v))
    prob = (q @ k.transpose(2, 3) + bias).softmax(dim=3)
    context = (prob @ v).transpose(1, 2).reshape(B, L, D)
    return F.linear(context, w[at + "proj.weight"], w[at + "proj.bias"])


def mlp(w, at, x):
    hidden = F.gelu(F.linear(x, w[at + "fc1.weight"], w[at + "fc1.bias"]))  # the erf form
    return F.linear(hidden, w[at + "fc2.weight"], w[at + "fc2.bias"])


def norm(w, at, x, c):
    return F.layer_norm(x, x.shape[-1:], w[at + ".weight"], w[at + ".bias"], c["ln_eps"])


def encode(w, image, mask, c):
    """image (B,C,S,S), mask (B,L-1) of 0/1 -> (B,L,D)"""
    proj = "encoder.patch_embed.proj"
    x = F.conv2d(image, w[proj + ".weight"], w[proj + ".bias"], stride=c["patch"])
    x = x.flatten(2).transpose(1, 2)
    x = torch.where(mask[:, :, None] != 0, w["encoder.mask_token"], x)
    x = torch.cat([w["encoder.cls_token"].expand(len(x), 1, -1), x], dim=1)
    table = w["encoder.rel_pos_bias.relative_position_bias_table"]
    bias = table[relative_index(c["image"] // c["patch"])].permute(2, 0, 1)
    for i in range(c["depth"]):
        at = f"encoder.blocks.{i}."
        a = attention(w, at + "attn.", norm(w, at + "norm1", x, c), bias, c["heads"])
        x = x + w[at + "gamma_1"] * a
        x = x + w[at + "gamma_2"] * mlp(w, at + "mlp.", norm(w, at + "norm2", x, c))
    return norm(w, "encoder.norm", x, c)


def pixel_shuffle(x, P):
    """(B, C*P*P, h, w) -> (B, C, h*P, w*P)"""
    B, _, h, w = x.shape
    return x.view(B, -1, P, P, h, w).permute(0, 1, 4, 2, 5, 3).reshape(B, -1, h * P, w * P)


def predict(w, image, mask, c):
    """-> features (B,L,D) after the last norm, predicted image (B,C,S,S)"""
    features, grid = encode(w, image, mask, c), c["image"] // c["patch"]
    tokens = features[:, 1:].transpose(1, 2).unflatten(2, (grid, grid))
    out = F.conv2d(tokens, w["decoder.0.weight"], w["decoder.0.bias"])
    return features, pixel_shuffle(out, c["patch"])


# ---- losses, mask, optimizer ----------------------------------------------------------------

def differences(image):
    """Forward differences along x and y; past the last column and row the image is zero."""
    return (F.pad(image, (0, 1))[..., 1:] - image,
            F.pad(image, (0, 0, 0, 1))[..., 1:, :] - image)


def gradient_loss(pred, target):
    return sum((t.abs() - g.abs()).abs().mean()
               for g, t in zip(differences(pred), differences(target)))


def consistency(u, v):
    """Half the symmetric KL of the softmaxes of u and v (B,D), summed over the batch."""
    log_p, log_q = u.log_softmax(1), v.log_softmax(1)
    return 0.5 * ((log_q.exp() - log_p.exp()) * (log_q - log_p)).sum()


def pair_loss(w, x, y, mask, c):
    """One forward of the doubled batch: the clean images, then the same ones masked."""
    n = len(x)
    features, pred = predict(w, torch.cat([x, x]), torch.cat([0 * mask, mask]), c)
    pooled = features[:, 1:].mean(dim=1)
    loss = torch.stack([F.mse_loss(pred[:n], y), gradient_loss(pred[:n], y),
                        F.mse_loss(pred[n:], y), gradient_loss(pred[n:], y),
                        consistency(pooled[n:], pooled[:n])])
    return features, pred, loss, loss[:4].sum() + c["lambda_cst"] * loss[4]


def draw_mask(c, rng):
    """(L-1) tokens of 0/1, set in whole cells; the count of cells is rounded up."""
    cells, scale = c["image"] // c["mask_cell"], c["mask_cell"] // c["patch"]
    mask = torch.zeros(cells * cells)
    mask[torch.randperm(cells * cells, generator=rng)[:math.ceil(cells ** 2 * c["mask_ratio"])]] = 1
    mask = mask.view(cells, cells).repeat_interleave(scale, 0).repeat_interleave(scale, 1)
    return mask.flatten()


def decays(name, shape):
    return len(shape) > 1 and not name.endswith(".bias") and name != "encoder.cls_token"


def make_optimizer(w, c):
    groups = [{"params": [p for n, p in w.items() if decays(n, p.shape) == decay],
               "weight_decay": c["weight_decay"] if decay else 0.0} for decay in (True, False)]
    return torch.optim.AdamW(groups, betas=(c["beta1"], c["beta2"]), eps=c["adam_eps"])


def cosine_lr(t, c):
    """Linear warm-up, then a cosine of t itself: the rate jumps down where warm-up ends."""
    if t < c["warmup_steps"]:
        return c["lr_warmup_init"] + t * (c["lr"] - c["lr_warmup_init"]) / c["warmup_steps"]
    turn = math.cos(math.pi * t / c["total_steps"])
    return c["lr_min"] + 0.5 * (c["lr"] - c["lr_min"]) * (1 + turn)


# ---- the tiny case --------------------------------------------------------------------------

def draw_weights(c, rng):
    """Nothing at its initial value and everything large, so that no gradient is near rounding."""
    w = {}
    for name, shape in shapes(c).items():
        noise = torch.randn(shape, generator=rng)
        if "norm" in name and name.endswith(".weight"):
            w[name] = 1 + 0.2 * noise
        elif ".gamma_" in name:
            w[name] = 0.5 + 0.1 * noise
        elif name.endswith(("_bias_table", "_token")):
            w[name] = 0.5 * noise
        elif name.startswith("decoder"):
            w[name] = (5 * torch.rand(shape, generator=rng) - 2.5) / c["width"] ** 0.5
        else:
            w[name] = 0.2 * noise
    return w


def draw_images(c, rng):
    """x: smooth 8-bit images. y: x moved by one pixel each way, with noise. Both in [-1, 1]."""
    n, S = c["pairs"], c["image"]
    scene = F.interpolate(0.6 * torch.randn(n, c["channels"], 8, 8, generator=rng),
                          size=(S + 2, S + 2), mode="bicubic", align_corners=False)
    x, y = scene[..., 1:-1, 1:-1], scene[..., :-2, 2:]
    y = y + 0.05 * torch.randn(y.shape, generator=rng)
    return [((v + 1) * 127.5).round().clamp(0, 255) / 127.5 - 1 for v in (x, y)]


def draw_case(seed, c, dtype):
    """-> weights by name, x, y, mask: float32 values, held as dtype"""
    rng = torch.Generator().manual_seed(seed)
    w, (x, y) = draw_weights(c, rng), draw_images(c, rng)
    mask = torch.stack([draw_mask(c, rng) for _ in range(c["pairs"])])
    w = {name: value.to(dtype).requires_grad_() for name, value in w.items()}
    return w, x.to(dtype), y.to(dtype), mask.to(dtype)


def kink_margin(pred, y):
    """Distance of the gradient loss from its nearest kink, where rounding could flip a sign."""
    return min(min(g.abs().min(), (g.abs() - t.abs()).abs().min()).item()
               for half in pred.chunk(2)
               for g, t in zip(differences(half), differences(y)))


def run_case(seed, c, dtype):
    w, x, y, mask = draw_case(seed, c, dtype)
    out = {f"weights/{n}": p.detach().clone() for n, p in w.items()}
    optimizer, losses, norms, rates, margins = make_optimizer(w, c), [], [], [], []
    for n in range(c["steps"]):
        optimizer.zero_grad()
        features, pred, loss, total = pair_loss(w, x, y, mask, c)
        total.backward()
        if n == 0:
            out |= {"x": x, "y": y, "mask": mask, "features": features, "prediction": pred,
                    "loss": loss, "loss_total": total.view(1)}
            out |= {f"grads/{name}": p.grad.clone() for name, p in w.items()}
        margins.append(kink_margin(pred, y))
        losses.append(total.item())
        norms.append(nn.utils.clip_grad_norm_(w.values(), c["clip"]).item())
        rates.append(cosine_lr(max(n - 1, 0), c))  # the scheduler runs one step behind
        for group in optimizer.param_groups:
            group["lr"] = rates[-1]
        optimizer.step()
    for name, values in (("loss_total", losses), ("grad_norm", norms), ("lr", rates)):
        out[f"steps/{name}"] = torch.tensor(values, dtype=torch.float64)
    return out | {f"after/{name}": p for name, p in w.items()}, margins


def usable(out, margins, c):
    """Float32 sees the same signs, the masks differ, and the clip both bites and lets go."""
    norms = out["steps/grad_norm"]
    return (margins[0] > 1e-5 and min(margins) > 2e-6
            and not torch.equal(*out["mask"]) and norms[0] > 1.1 * c["clip"]
            and norms[-1] < c["clip"])


def stored(name, tensor, c):
    """Keeps the file small: of `after/`, large matrices of the last block only."""
    return (not name.startswith("after/") or tensor.numel() <= 256
            or f"blocks.{c['depth'] - 1}." in name)


def write_safetensors(path, tensors, metadata):
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.detach().to(torch.float32).contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


# ---- checks of this file --------------------------------------------------------------------

def check_shapes():
    index = relative_index(14)
    spots = {(1, 1): 364, (1, 196): 0, (196, 1): 728, (0, 5): 729, (5, 0): 730, (0, 0): 731}
    assert all(index[at] == value for at, value in spots.items())
    for ratio, count in ((0.75, 37), (0.6, 30), (0.5, 25), (0.25, 13)):
        mask = draw_mask(dict(BASE, mask_cell=32, mask_ratio=ratio), torch.Generator())
        cells = mask.view(7, 2, 7, 2)
        assert mask.sum() == 4 * count and (cells == cells[:, :1, :, :1]).all()
    sizes = {name: math.prod(shape) for name, shape in shapes(BASE).items()}
    assert len(sizes) == 189 and sum(sizes.values()) == 86_256_720
    assert sum(sizes[n] for n, s in shapes(BASE).items() if decays(n, s)) == 86_123_856
    x = torch.randn(2, 12, 3, 5)
    assert torch.equal(pixel_shuffle(x, 2), nn.PixelShuffle(2)(x))
    ped2 = dict(TINY, lr=1e-4, warmup_steps=6330, total_steps=60 * 633)
    assert abs(cosine_lr(6329, ped2) - 1e-4) < 2e-8
    assert abs(cosine_lr(6330, ped2) - 9.3636e-5) < 1e-9


def check_losses():
    """The losses and their gradients against the formulas, element by element."""
    rng = torch.Generator().manual_seed(0)
    B, C, S = 2, 3, 5
    target, pred = torch.randn(2, B, C, S, S, generator=rng, dtype=torch.float64)
    total, expected = 0.0, torch.zeros_like(pred)
    for b, ch, y, x in itertools.product(range(B), range(C), range(S), range(S)):
        for dy, dx in ((0, 1), (1, 0)):
            inside = y + dy < S and x + dx < S
            g, t = ((float(v[b, ch, y + dy, x + dx]) if inside else 0.0) - float(v[b, ch, y, x])
                    for v in (pred, target))
            total += abs(abs(g) - abs(t)) / pred.numel()
            slope = math.copysign(1, abs(g) - abs(t)) * math.copysign(1, g) / pred.numel()
            expected[b, ch, y, x] -= slope
            if inside:
                expected[b, ch, y + dy, x + dx] += slope
    pred.requires_grad_()
    loss = gradient_loss(pred, target)
    assert abs(loss.item() - total) < 1e-12
    assert torch.allclose(torch.autograd.grad(loss, pred)[0], expected, rtol=0, atol=1e-12)

    u, v = torch.randn(2, 2, 7, generator=rng, dtype=torch.float64).unbind()
    u.requires_grad_()
    p, q = u.detach().softmax(1), v.softmax(1)
    ratio = (p / q).log()
    expected = 0.5 * (p * (ratio - (p * ratio).sum(1, keepdim=True)) + p - q)
    assert torch.allclose(torch.autograd.grad(consistency(u, v), u)[0], expected, atol=1e-12)


def check_gradients(seed, c, grads):
    """Central differences of the total loss, at the largest gradient of every tensor."""
    w, x, y, mask = draw_case(seed, c, torch.float64)
    h = 1e-7
    with torch.no_grad():
        for name, p in w.items():
            grad = grads[f"grads/{name}"].flatten()
            flat, at = p.view(-1), grad.abs().argmax()
            start, loss = flat[at].clone(), []
            for sign in (1, -1):
                flat[at] = start + sign * h
                loss.append(pair_loss(w, x, y, mask, c)[3].item())
            flat[at] = start
            slope = (loss[0] - loss[1]) / (2 * h)
            assert abs(slope - grad[at]) < 1e-5 * abs(grad[at]) + 1e-7, (name, slope, grad[at])


def main():
    torch.set_num_threads(1)
    check_shapes()
    check_losses()
    for seed in itertools.count():
        exact, margins = run_case(seed, TINY, torch.float64)
        if usable(exact, margins, TINY):
            break
    single, _ = run_case(seed, TINY, torch.float32)
    check_gradients(seed, TINY, exact)

    worst = {}  # what float32 arithmetic alone costs: the floor of every tolerance
    for name, value in exact.items():
        error = (single[name].double() - value).abs().max() / value.abs().max()
        kind = name if name.startswith("steps/") else name.split("/")[0]
        worst[kind] = max(worst.get(kind, 0.0), error.item())
    for kind, error in worst.items():
        print(f"{kind:18} float32 differs by {error:.1e} of the tensor's largest value")

    path = Path(__file__).with_name("tiny.safetensors")
    tensors = {n: t for n, t in exact.items() if stored(n, t, TINY)}
    write_safetensors(path, tensors, {"torch": torch.__version__, "seed": str(seed),
                                      "config": json.dumps(TINY)})
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes, seed {seed}")


if __name__ == "__main__":
    main()
