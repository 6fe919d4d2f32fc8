"""Check that the vectors of one side are numbers, different ones, of usual lengths."""

from __future__ import annotations

import hashlib

import numpy as np

from moviola.evaluate.chance import chance_level
from moviola.evaluate.diagnostics.findings import Figures, Finding, shown
from moviola.evaluate.diagnostics.sides import Name, Side

#: Vectors whose cosines with their mean all reach this are one vector and rounding: half precision
#: is good to about 5e-4 of each number, which costs a cosine about 1e-7.
CONSTANT = 1.0 - 1e-5

_WHY_CONSTANT: dict[Name, str] = {
    "texts": "the first token of a causal decoder sees nothing of the caption that follows it; "
    "pool other tokens (mean, position-weighted mean or last)",
    "videos": "the encoder does not see its frames, or what is read comes before them; "
    "read another token or layer, and check that frames are decoded",
}


def is_constant(side: Side) -> bool:
    """Tell whether all usable vectors point in one direction."""
    unit = side.directed
    if len(unit) < 2:
        return False
    mean = unit.mean(axis=0, dtype=np.float64)
    length = float(np.linalg.norm(mean))
    return length > 0 and float((unit @ (mean / length)).min()) >= CONSTANT


def look_at_numbers(side: Side) -> tuple[list[Finding], Figures]:
    """Look for NaN, infinity, zero vectors, and lengths."""
    broken, zero = np.isnan(side.norms), side.norms == 0
    findings: list[Finding] = []
    if broken.any():
        first = side.ids[int(broken.argmax())]
        findings.append(
            Finding(
                "error",
                "not-finite",
                side.name,
                f"{side.count(int(broken.sum()))} (first {first!r}) hold NaN or infinity: half "
                f"precision overflowed or the input was broken; encode them again in float32, "
                f"or leave them out.",
            )
        )
    if zero.any():
        first = side.ids[int(zero.argmax())]
        findings.append(
            Finding(
                "error",
                "zero",
                side.name,
                f"{side.count(int(zero.sum()))} (first {first!r}) have an all-zero vector, which "
                f"has no direction: an empty input or a dead last layer; encode them again, or "
                f"leave them out.",
            )
        )
    norms = side.norms[side.usable]
    figures: Figures = {
        "items": len(side.ids),
        "dimension": side.unit.shape[1],
        "not_finite": int(broken.sum()),
        "zero": int(zero.sum()),
    }
    if len(norms):
        low, middle, high = (float(value) for value in np.percentile(norms, [0, 50, 100]))
        figures["norms"] = {"smallest": low, "median": middle, "largest": high}
        if high > 10 * middle:
            findings.append(
                Finding(
                    "info",
                    "norms",
                    side.name,
                    f"The longest {side.one} vector is {high / middle:.0f} times the median: the "
                    f"cosine ignores that but a dot product would follow it; normalise before a "
                    f"dot-product index, and check the longest for odd inputs.",
                )
            )
    return findings, figures


def look_at_copies(side: Side, *, videos: int) -> tuple[list[Finding], Figures]:
    """Look for constant and duplicated vectors.

    Args:
        side: whose vectors.
        videos: how many videos are ranked for a caption.
    """
    items = int(side.usable.sum())
    distinct = _distinct(side)
    figures: Figures = {"distinct": distinct, "constant": is_constant(side)}
    if figures["constant"]:
        return [constant_finding(side.name, items, videos)], figures
    copies = items - distinct
    if not copies:
        return [], figures
    return [
        Finding(
            "warning" if copies > 0.01 * items else "info",
            "duplicates",
            side.name,
            f"{side.count(copies)} of {items:,} came with a vector that was there before: the same "
            f"input more than once, or an encoder that cannot tell some apart; count all copies "
            f"as relevant, or leave them out, since the order of tied items is left to chance.",
        )
    ], figures


def constant_finding(name: Name, items: int, videos: int, *, shared: str = "vector") -> Finding:
    """Report that all `items` texts or videos have one vector, or what was made of it."""
    chance = chance_level(videos)
    one = "caption" if name == "texts" else "video"
    return Finding(
        "error",
        "constant",
        name,
        f"Every {one} of {items:,} has the same {shared}, so that all ask or answer alike and the "
        f"MRR of {shown(chance)} is chance for {videos:,}: {_WHY_CONSTANT[name]}.",
    )


def _distinct(side: Side) -> int:
    """Count different vectors, byte for byte."""
    seen = {
        hashlib.blake2b(row.tobytes(), digest_size=16).digest()
        for row, usable in zip(side.unit, side.usable, strict=True)
        if usable
    }
    return len(seen)
