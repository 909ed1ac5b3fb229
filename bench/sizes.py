"""The networks of the bench, for bench.py and the peers; bench_ours.c takes them by the same names."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """base, small and tiny are the paper's, in three widths; footage is what normalcy trains on
    videos (`--preset footage`)."""
    width: int
    heads: int
    depth: int = 12
    side: int = 224  # of a frame, pixels
    patch: int = 16
    frames: int = 1  # input frames, stacked as channels
    residual: bool = False  # the prediction is a change of the newest input frame
    layer_scale: bool = True
    doubled: bool = True  # a training step sees each pair twice, and compares the two
    gradient_loss: bool = True
    drop: float = 0.1
    drop_path: float = 0.1
    lr: float = 1e-4
    beta2: float = 0.999

    @property
    def grid(self):
        return self.side // self.patch

    @property
    def patches(self):
        return self.grid * self.grid

    @property
    def tokens(self):
        return self.patches + 1

    def images(self, pairs):
        """of a training step"""
        return 2 * pairs if self.doubled else pairs


SIZES = {"base": Size(768, 12), "small": Size(384, 6), "tiny": Size(192, 3),
         "footage": Size(192, 3, depth=4, side=168, patch=8, frames=4, residual=True,
                         layer_scale=False, doubled=False, gradient_loss=False, drop=0,
                         drop_path=0, lr=1e-3, beta2=0.95)}
