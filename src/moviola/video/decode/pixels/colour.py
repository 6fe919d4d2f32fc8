"""Convert wide and HDR colours to those of a standard display (BT.709). Runs in the worker.

Light is made linear, taken from its primaries to those of BT.709, its tones are compressed where it
is HDR, and it is coded as BT.709 codes it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_PQ, _HLG = ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67
# BT.2408: the luminance of white in HDR pictures, and where highlights are clipped, in nits; white
# is 75 % of an HLG signal.
_WHITE, _PEAK = 203.0, 1000.0
_HLG_WHITE = 0.75
_BRIGHTEST = _PEAK / _WHITE
# Rows of a picture at a time: what lies between is in floats.
_PIXELS_AT_A_TIME = 1 << 18

# Chromaticities (x, y) of red, green and blue (ITU-T H.273, table 2); white is D65.
_D65 = (0.3127, 0.3290)
_BT709 = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
_WIDE = {
    int(ColorPrimaries.BT2020): ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    int(ColorPrimaries.SMPTE432): ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}


def needs_conversion(frame: VideoFrame) -> bool:
    """Tell whether the colours of `frame` are not those of a standard display."""
    return frame.color_trc in (_PQ, _HLG) or int(frame.color_primaries) in _WIDE


def to_standard(coded: NDArray[np.uint16], frame: VideoFrame) -> NDArray[np.uint8]:
    """Convert full-range `coded (H, W, 3)` uint16 RGB of `frame` to BT.709 `(H, W, 3)` uint8.

    HDR without a word on its primaries has those of BT.2020.
    """
    hdr = frame.color_trc in (_PQ, _HLG)
    curve = _linear(int(frame.color_trc) if hdr else 0)
    primaries = int(frame.color_primaries)
    wide = primaries if primaries in _WIDE else int(ColorPrimaries.BT2020)
    matrix = _to_bt709(wide).T
    code = _coded()
    standard = np.empty(coded.shape, np.uint8)
    rows = max(1, _PIXELS_AT_A_TIME // coded.shape[1])
    for first in range(0, len(coded), rows):
        light = np.maximum(curve[coded[first : first + rows]] @ matrix, 0)
        if hdr:
            # Reinhard's curve, scaled so that the peak becomes white: shadows stay linear.
            light *= (1 + 1 / _BRIGHTEST) / (1 + light)
        steps = np.minimum(light * np.float32(65_535), 65_535).astype(np.uint16)
        standard[first : first + rows] = code[steps]
    return standard


@cache
def _linear(curve: int) -> Floats:
    """Tabulate the light `(65536,)` of code values: 1 is white, HDR goes up to its peak."""
    code = np.linspace(0.0, 1.0, 65_536)
    if curve == _PQ:  # SMPTE ST 2084
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = code ** (1 / m2)
        nits = 10_000 * (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
        light = np.minimum(nits, _PEAK) / _WHITE
    elif curve == _HLG:  # BT.2100, table 5; a display's own gamma is left out
        light = _hlg(code) / _hlg(np.array(_HLG_WHITE))
    else:
        light = np.where(code < 0.081, code / 4.5, ((code + 0.099) / 1.099) ** (1 / 0.45))
    return light.astype(np.float32)


def _hlg(code: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)


@cache
def _coded() -> NDArray[np.uint8]:
    """Tabulate the code values `(65536,)` of light from 0 to 1 (BT.709, 1.2)."""
    light = np.linspace(0.0, 1.0, 65_536)
    code = np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)
    return np.rint(255 * code).astype(np.uint8)


@cache
def _to_bt709(primaries: int) -> Floats:
    """Compute the `(3, 3)` matrix from linear light of `primaries` to that of BT.709."""
    return np.asarray(np.linalg.inv(_to_xyz(_BT709)) @ _to_xyz(_WIDE[primaries]), np.float32)


def _to_xyz(primaries: tuple[tuple[float, float], ...]) -> NDArray[np.float64]:
    """Compute the `(3, 3)` matrix from linear RGB to CIE XYZ (SMPTE RP 177)."""
    columns = np.array([(x / y, 1.0, (1 - x - y) / y) for x, y in primaries]).T
    white = np.array([_D65[0] / _D65[1], 1.0, (1 - sum(_D65)) / _D65[1]])
    return columns * np.linalg.solve(columns, white)
