"""Compute TransNet V2, the network for shot boundaries, of weights in its authors' names.

Soucek and Lokoc, "TransNet V2: An effective deep network architecture for fast shot transition
detection", 2020. Rewritten from their PyTorch code (MIT licence, (c) 2020 Tomas Soucek), for
inference alone; modules are called as there, so that the published weights fit by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pictures that the network sees at once, and how many of them in the middle it answers for.
WINDOW, STEP = 100, 50
HEIGHT, WIDTH = 27, 48
_EDGE = (WINDOW - STEP) // 2
_FILTERS, _LOOKUP, _OUT = 16, 101, 128
_WIDEST = _FILTERS * 16


class TransNet(nn.Module):
    """Map pictures `(B, T, 27, 48, 3)` uint8 to the logit `(B, T)` that a shot ends at each."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [(3, _FILTERS), (_FILTERS * 4, _FILTERS * 2), (_FILTERS * 8, _FILTERS * 4)]
        self.SDDCNN = nn.ModuleList([_Stack(before, after) for before, after in sizes])
        self.frame_sim_layer = _FrameSimilarity(_FILTERS * (4 + 8 + 16))
        self.color_hist_layer = _ColourHistograms()
        self.fc1 = nn.Linear(_WIDEST * 3 * 6 + 2 * _OUT, 1024)
        self.cls_layer1 = nn.Linear(1024, 1)
        # Tells all pictures of a transition; in the weights, and not asked.
        self.cls_layer2 = nn.Linear(1024, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Compute the logits `(B, T)`."""
        held = pictures.permute(0, 4, 1, 2, 3).float() / 255.0
        features: list[Tensor] = []
        for stack in self.SDDCNN:
            held = stack(held)
            features.append(held)
        flat = held.permute(0, 2, 3, 4, 1).flatten(2)
        seen = [self.color_hist_layer(pictures), self.frame_sim_layer(features), flat]
        return self.cls_layer1(functional.relu(self.fc1(torch.cat(seen, 2)))).squeeze(-1)


class _Stack(nn.Module):
    """Two dilated blocks around which the first one's output is added, then halved in space."""

    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        self.DDCNN = nn.ModuleList([_Dilated(before, filters), _Dilated(filters * 4, filters)])

    def forward(self, held: Tensor) -> Tensor:
        first = functional.relu(self.DDCNN[0](held))
        second = functional.relu(self.DDCNN[1](first))
        return functional.avg_pool3d(second + first, (1, 2, 2))


class _Dilated(nn.Module):
    """Convolutions that look 1, 2, 4 and 8 pictures far, side by side."""

    def __init__(self, before: int, filters: int) -> None:
        super().__init__()
        self.Conv3D_1, self.Conv3D_2, self.Conv3D_4, self.Conv3D_8 = (
            _Convolution(before, filters, far) for far in (1, 2, 4, 8)
        )
        self.bn = nn.BatchNorm3d(filters * 4, eps=1e-3)

    def forward(self, held: Tensor) -> Tensor:
        sides = (self.Conv3D_1, self.Conv3D_2, self.Conv3D_4, self.Conv3D_8)
        return self.bn(torch.cat([side(held) for side in sides], 1))


class _Convolution(nn.Module):
    """One convolution in space, and one in time."""

    def __init__(self, before: int, filters: int, far: int) -> None:
        super().__init__()
        space = nn.Conv3d(before, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False)
        time = nn.Conv3d(
            *(2 * filters, filters, (3, 1, 1)),
            dilation=(far, 1, 1),
            padding=(far, 0, 0),
            bias=False,
        )
        self.layers = nn.ModuleList([space, time])

    def forward(self, held: Tensor) -> Tensor:
        return self.layers[1](self.layers[0](held))


class _FrameSimilarity(nn.Module):
    """Compare what was seen of each picture with that of its neighbours."""

    def __init__(self, before: int) -> None:
        super().__init__()
        self.projection = nn.Linear(before, 128)
        self.fc = nn.Linear(_LOOKUP, _OUT)

    def forward(self, features: list[Tensor]) -> Tensor:
        means = torch.cat([each.mean((3, 4)) for each in features], 1).transpose(1, 2)
        unit = functional.normalize(self.projection(means), dim=2)
        return functional.relu(self.fc(_neighbours(unit)))


class _ColourHistograms(nn.Module):
    """Compare the histogram of 512 colours of each picture with those of its neighbours."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(_LOOKUP, _OUT)

    def forward(self, pictures: Tensor) -> Tensor:
        steps = pictures.long() >> 5
        bins = ((steps[..., 0] << 6) + (steps[..., 1] << 3) + steps[..., 2]).flatten(2)
        counts = torch.zeros(*bins.shape[:2], 512)
        counts.scatter_add_(2, bins, torch.ones(bins.shape))
        return functional.relu(self.fc(_neighbours(functional.normalize(counts, dim=2))))


def _neighbours(unit: Tensor) -> Tensor:
    """Compute cosines of each row of `(B, T, D)` with the 50 before to the 50 after, `(B, T, 101)`.

    Beyond the ends they are 0.
    """
    side = (_LOOKUP - 1) // 2
    cosines = functional.pad(unit @ unit.transpose(1, 2), (side, side))
    times = torch.arange(unit.shape[1])[:, None] + torch.arange(_LOOKUP)
    return cosines.gather(2, times.expand(len(unit), -1, -1))


def make_network(state: Mapping[str, Tensor]) -> TransNet:
    """Make the network of published weights, ready for use.

    Raises:
        RuntimeError: when a weight is missing, unexpected, or of another shape.
    """
    network = TransNet()
    network.load_state_dict(state)
    return network.eval()


@torch.inference_mode()
def predict(network: TransNet, pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Predict for every picture of one video how likely a shot ends there, `(T,)`.

    Only one window of pictures is held at a time. The first and the last picture stand for what is
    beyond the ends.

    Args:
        network: as `make_network` makes it.
        pictures: each `(27, 48, 3)`, in order.
    """
    torch.set_num_threads(1)  # as many workers decode as there are processors
    held: list[NDArray[np.uint8]] = []
    parts: list[Tensor] = []
    count = 0

    def add(picture: NDArray[np.uint8]) -> None:
        held.append(picture)
        if len(held) == WINDOW:
            window = torch.from_numpy(np.stack(held))[None]
            parts.append(network(window)[0, _EDGE : _EDGE + STEP].sigmoid())
            del held[:STEP]

    for count, picture in enumerate(pictures, start=1):
        if count == 1:
            held += [picture] * _EDGE
        add(picture)
    if not count:
        return np.empty(0, np.float32)
    for _ in range(_EDGE + -count % STEP):
        add(held[-1])
    return torch.cat(parts)[:count].numpy()
