#!/usr/bin/env python3
"""Weight files as PyTorch writes them, and what networks make of them.

Writes beside this file, for the C tests of the .pth reader and of the import:
a tiny network each of SimMIM, BEiT and MAE, in the zip form and in the one before
PyTorch 1.6; tensors of every sort; and the features of the three networks, in float64
rounded once. The names are those of the families' own files; the weights are noise.
Then networks that timm made, wrapped as programs wrap them, with timm's own features;
and positions interpolated for other sizes of input by PyTorch (MAE) and SciPy (BEiT).
"""
import argparse
import sys
import types
from collections import OrderedDict
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from scipy.interpolate import RectBivariateSpline
from timm.models.beit import Beit
from timm.models.vision_transformer import VisionTransformer
from torch import nn

import torch_dump

TINY = dict(image=16, patch=4, channels=3, width=16, depth=2, heads=2, mlp_ratio=4, ln_eps=1e-6)
MAE = dict(TINY, heads=1)  # its files do not say how many; by width / 64 it is one
HERE = Path(__file__).parent


# ---- the families' tensors ------------------------------------------------------------------

def block_shapes(D, H, table, gamma, qkv_bias, block_table):
    shapes = {"gamma_1": (D,), "gamma_2": (D,)} if gamma else {}
    shapes |= {"norm1.weight": (D,), "norm1.bias": (D,)}
    shapes |= {"attn.qkv.bias": (3 * D,)} if qkv_bias else {"attn.q_bias": (D,), "attn.v_bias": (D,)}
    if block_table:
        shapes["attn.relative_position_bias_table"] = (table, H)
    return shapes | {"attn.qkv.weight": (3 * D, D), "attn.proj.weight": (D, D),
                     "attn.proj.bias": (D,), "norm2.weight": (D,), "norm2.bias": (D,),
                     "mlp.fc1.weight": (4 * D, D), "mlp.fc1.bias": (4 * D,),
                     "mlp.fc2.weight": (D, 4 * D), "mlp.fc2.bias": (D,)}


def family_shapes(family, c):
    """Name -> shape of what the family's encoder consists of, without a prefix."""
    D, P, C, H, grid = c["width"], c["patch"], c["channels"], c["heads"], c["image"] // c["patch"]
    table = (2 * grid - 1) ** 2 + 3
    shapes = {"cls_token": (1, 1, D)}
    if family == "mae":
        shapes["pos_embed"] = (1, grid * grid + 1, D)
    else:
        shapes["mask_token"] = (1, 1, D)
    shapes |= {"patch_embed.proj.weight": (D, C, P, P), "patch_embed.proj.bias": (D,)}
    if family == "simmim":
        shapes["rel_pos_bias.relative_position_bias_table"] = (table, H)
    block = block_shapes(D, H, table, family != "mae", family == "mae", family == "beit")
    shapes |= {f"blocks.{i}.{n}": s for i in range(c["depth"]) for n, s in block.items()}
    norm = "fc_norm" if family == "beit" else "norm"
    return shapes | {f"{norm}.weight": (D,), f"{norm}.bias": (D,)}


def draw(shapes, rng):
    """Nothing at its initial value and everything large."""
    w = OrderedDict()
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=rng)
        if "norm" in name and name.endswith(".weight"):
            w[name] = 1 + 0.2 * noise
        elif "gamma_" in name:
            w[name] = 0.5 + 0.1 * noise
        elif name.endswith(("_bias_table", "_token", "pos_embed")):
            w[name] = 0.5 * noise
        else:
            w[name] = 0.2 * noise
    return w


# ---- what the network makes of them ---------------------------------------------------------

def attention(w, at, x, bias, heads):
    B, L, D = x.shape
    if at + "qkv.bias" in w:
        qkv_bias = w[at + "qkv.bias"]
    else:
        qkv_bias = torch.cat([w[at + "q_bias"], torch.zeros_like(w[at + "q_bias"]), w[at + "v_bias"]])
    qkv = F.linear(x, w[at + "qkv.weight"], qkv_bias).view(B, L, 3, heads, D // heads)
    q, k, v = qkv.permute(2, 0, 3, 1, 4)
    prob = (q * (D // heads) ** -0.5 @ k.transpose(2, 3) + bias).softmax(dim=3)
    context = (prob @ v).transpose(1, 2).reshape(B, L, D)
    return F.linear(context, w[at + "proj.weight"], w[at + "proj.bias"])


def features(w, image, c):
    """image (B,C,S,S) -> (B,L,D) after the last norm, of every token even where it is fc_norm"""
    index = torch_dump.relative_index(c["image"] // c["patch"])
    x = F.conv2d(image, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=c["patch"])
    x = torch.cat([w["cls_token"].expand(len(x), 1, -1), x.flatten(2).transpose(1, 2)], dim=1)
    x = x + w.get("pos_embed", 0)
    for i in range(c["depth"]):
        at = f"blocks.{i}."
        table = w.get("rel_pos_bias.relative_position_bias_table",
                      w.get(at + "attn.relative_position_bias_table"))
        bias = 0 if table is None else table[index].permute(2, 0, 1)
        a = attention(w, at + "attn.", torch_dump.norm(w, at + "norm1", x, c), bias, c["heads"])
        x = x + w.get(at + "gamma_1", 1) * a
        b = torch_dump.mlp(w, at + "mlp.", torch_dump.norm(w, at + "norm2", x, c))
        x = x + w.get(at + "gamma_2", 1) * b
    return torch_dump.norm(w, "fc_norm" if "fc_norm.weight" in w else "norm", x, c)


# ---- files ----------------------------------------------------------------------------------

def config_node():
    """What SimMIM's files hold beside the weights: a yacs CfgNode, a class that a reader of
    untrusted files must not look up."""
    class CfgNode(dict):
        pass

    CfgNode.__module__, CfgNode.__qualname__ = "yacs.config", "CfgNode"
    module = types.ModuleType("yacs.config")
    module.CfgNode = CfgNode
    sys.modules |= {"yacs": types.ModuleType("yacs"), "yacs.config": module}
    node = CfgNode(MODEL=CfgNode(TYPE="vit", DROP_PATH_RATE=0.1), BASE=[""])
    node.__dict__["__immutable__"] = True
    return node


def prefixed(prefix, w):
    return OrderedDict((prefix + name, value) for name, value in w.items())


def save(name, value, legacy=False):
    torch.save(value, HERE / name, _use_new_zipfile_serialization=not legacy)
    print(f"{name}: {(HERE / name).stat().st_size} bytes")


def save_simmim(w, rng):
    D, P = TINY["width"], TINY["patch"]
    model = prefixed("encoder.", w)
    model["encoder.rel_pos_bias.relative_position_index"] = torch_dump.relative_index(4)
    model |= draw({"decoder.0.weight": (3 * P * P, D, 1, 1), "decoder.0.bias": (3 * P * P,)}, rng)
    rest = {"optimizer": {"state": {0: {"step": 7, "exp_avg": torch.zeros(3)}},
                          "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0]}]},
            "lr_scheduler": {"t_initial": 100}, "max_accuracy": 0.0, "epoch": 799,
            "config": config_node()}
    save("simmim.pth", {"model": model} | rest)
    half = OrderedDict((n, t.half() if t.is_floating_point() else t)
                       for n, t in prefixed("module.", model).items())
    save("simmim_legacy.pth", {"model": half} | rest, legacy=True)


def save_beit(w, rng):
    model = OrderedDict(w)
    for i in range(TINY["depth"]):
        model[f"blocks.{i}.attn.relative_position_index"] = torch_dump.relative_index(4)
    model |= draw({"head.weight": (5, TINY["width"]), "head.bias": (5,)}, rng)
    save("beit.pth", model)
    half = OrderedDict((n, t.half() if t.is_floating_point() else t) for n, t in model.items())
    save("beit_legacy.pth", {"state_dict": half}, legacy=True)


def save_mae(w, rng):
    decoder = {"mask_token": (1, 1, 8), "decoder_pos_embed": (1, 17, 8),
               "decoder_embed.weight": (8, 16), "decoder_embed.bias": (8,),
               "decoder_blocks.0.attn.qkv.weight": (24, 8), "decoder_norm.weight": (8,)}
    save("mae.pth", {"model": w | draw(decoder, rng)})
    save("mae_legacy.pth", {"model": OrderedDict((n, t.bfloat16()) for n, t in w.items()),
                            "args": argparse.Namespace(lr=1e-3, model="mae")}, legacy=True)


def save_odd():
    """Tensors of every sort; the C test knows the values."""
    base = torch.arange(12, dtype=torch.float32).view(3, 4)
    tensors = {"f32": base, "transposed": base.t(), "row": base[1], "column": base[:, 2],
               "expanded": torch.tensor([7.0]).expand(2, 3),
               "f64": torch.tensor([1 / 3, -2.0], dtype=torch.float64),
               "f16": torch.tensor([0.5, -65504.0], dtype=torch.float16),
               "bf16": torch.tensor([1.5, -3.0], dtype=torch.bfloat16),
               "i64": torch.tensor([-1, 2 ** 40]), "u8": torch.tensor([1, 255], dtype=torch.uint8),
               "bool": torch.tensor([True, False, True]), "scalar": torch.tensor(2.5),
               "empty": torch.zeros(0, 3), "parameter": nn.Parameter(torch.tensor([4.0, 5.0]))}
    state = prefixed("module.", tensors)
    state["module.count"], state["module.nested"] = 5, {"inner": torch.ones(2)}
    rest = {"score": np.float64(1.5), "args": argparse.Namespace(lr=1e-3), "names": {"a", "b"},
            "big": 2 ** 70, "none": None, "loop": []}
    rest["loop"].append(rest["loop"])
    save("odd.pth", {"state_dict": state} | rest)
    save("odd_legacy.pth", {"state_dict": state} | rest, legacy=True)


# ---- timm ------------------------------------------------------------------------------------

def timm_beit():
    """-> the network, and what makes its features those of every token"""
    net = Beit(img_size=12, patch_size=4, embed_dim=8, depth=2, num_heads=2, init_values=0.1,
               num_classes=3, use_abs_pos_emb=False, use_rel_pos_bias=True)
    return net, lambda x: net.fc_norm(net.forward_features(x))


def timm_vit():
    """The ViT of vit_base_patch16_224 and its .mae, with the layer scale of the newer ones."""
    net = VisionTransformer(img_size=12, patch_size=4, embed_dim=8, depth=2, num_heads=1,
                            num_classes=3, init_values=0.1)
    return net, net.forward_features


def timm_features(make, x, rng):
    net, tokens = make()
    w = draw({n: t.shape for n, t in net.state_dict().items()}, rng)
    w = OrderedDict((n, 0.5 + 0.1 * t if n.endswith("gamma") else t) for n, t in w.items())
    net.load_state_dict(w)
    net.double().eval()
    with torch.no_grad():
        return w, tokens(x.double())


def save_timm(x, rng):
    """Wrapped as by torch.compile in DataParallel, and by a trainer of Lightning's kind."""
    out = {}
    w, out["timm_beit"] = timm_features(timm_beit, x, rng)
    save("timm_beit.pth", {"state_dict": {"model": prefixed("module._orig_mod.", w)}, "epoch": 3})
    w, out["timm_vit"] = timm_features(timm_vit, x, rng)
    save("timm_vit.pth", {"model": {"state_dict": prefixed("model._orig_mod.", w)}})
    return out


# ---- positions for other sizes ---------------------------------------------------------------

def geometric_places(half, wanted):
    """half places on each side of 0 whose distances grow by a factor; the last at `wanted`"""
    low, high = 1.01, 1.5
    while high - low > 1e-6:
        q = (low + high) / 2
        low, high = (low, q) if sum(q ** i for i in range(half)) > wanted else (q, high)
    side = np.cumsum(q ** np.arange(half))
    return np.concatenate([-side[::-1], [0], side])


def resize_table(table, old, new):
    """table ((2 old - 1)^2 + 3, H): SciPy's interp2d of the families' own code is this spline"""
    places, wanted = geometric_places(old - 1, new - 1), np.arange(1 - new, new)
    grid = table[:-3].double().numpy().reshape(2 * old - 1, 2 * old - 1, -1)
    columns = [RectBivariateSpline(places, places, grid[:, :, h], s=0)(wanted, wanted).ravel()
               for h in range(grid.shape[2])]
    return torch.cat([torch.from_numpy(np.stack(columns, axis=1)), table[-3:].double()])


def resize_embed(embed, old, new):
    """embed (1, 1 + old^2, D)"""
    grid = embed[:, 1:].double().reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(new, new), mode="bicubic", align_corners=False)
    return torch.cat([embed[:, :1].double(), grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


def positions(rng):
    out = {}
    for old, new in ((3, 5), (4, 7), (5, 3), (7, 4)):
        table = torch.randn((2 * old - 1) ** 2 + 3, 2, generator=rng)
        embed = torch.randn(1, 1 + old * old, 3, generator=rng)
        out |= {f"table/{old}": table, f"table/{old}/{new}": resize_table(table, old, new),
                f"embed/{old}": embed, f"embed/{old}/{new}": resize_embed(embed, old, new)}
    return out


def main():
    torch.set_num_threads(1)
    rng = torch.Generator().manual_seed(1)
    x = torch.rand(2, 3, TINY["image"], TINY["image"], generator=rng) * 2 - 1
    out = {"x": x}
    for family, save_family, c in (("simmim", save_simmim, TINY), ("beit", save_beit, TINY),
                                   ("mae", save_mae, MAE)):
        w = draw(family_shapes(family, c), rng)
        out[family] = features({n: t.double() for n, t in w.items()}, x.double(), c)
        single = features(w, x, c)
        error = (single.double() - out[family]).abs().max() / out[family].abs().max()
        print(f"{family}: float32 differs by {error:.1e} of the largest feature")
        save_family(w, rng)
    save_odd()
    x = torch.rand(2, 3, 12, 12, generator=rng) * 2 - 1
    out |= {"timm_x": x} | save_timm(x, rng)
    torch_dump.write_safetensors(HERE / "features.safetensors", out,
                                 {"torch": torch.__version__, "timm": timm.__version__})
    torch_dump.write_safetensors(HERE / "positions.safetensors", positions(rng),
                                 {"torch": torch.__version__})


if __name__ == "__main__":
    main()
