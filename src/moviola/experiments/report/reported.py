"""List the results of the reference report on MSR-VTT 1k-A (1,000 videos, one caption each).

University of Hamburg, 2023. These numbers are reported, not measured here, and every place that
shows them says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: Checkpoint and direction to R@1, R@2, R@5, R@10 in percent, and MRR.
XCLIP: Mapping[tuple[str, str], tuple[float, float, float, float, float]] = MappingProxyType(
    {
        ("xclip-base-patch32", "t2v"): (8.6, 13.3, 19.3, 25.8, 0.1465),
        ("xclip-base-patch16", "t2v"): (12.8, 18.7, 27.5, 34.2, 0.2032),
        ("xclip-large-patch14", "t2v"): (20.6, 27.3, 39.4, 48.9, 0.2976),
        ("xclip-base-patch32", "v2t"): (17.7, 25.5, 36.6, 47.7, 0.2746),
        ("xclip-base-patch16", "v2t"): (19.2, 27.8, 40.6, 51.1, 0.2965),
        ("xclip-large-patch14", "v2t"): (21.5, 29.3, 42.2, 51.2, 0.3158),
    }
)
XCLIP_MEASURES = ("R@1", "R@2", "R@5", "R@10", "MRR")
XCLIP_FLAW = (
    "The report's MAP from video to text differs from its MRR in the fourth digit (0.2741 and "
    "0.2746). With one caption a video the two are one number by definition: its code counted ties "
    "or copies differently in the two."
)

#: Video pooling and text pooling to the MRR from text to video, before any alignment.
GRID: Mapping[tuple[str, str], float] = MappingProxyType(
    {
        ("mean", "mean"): 0.0245,
        ("mean", "first"): 0.0075,
        ("mean", "max"): 0.0103,
        ("first", "mean"): 0.0072,
        ("first", "first"): 0.0075,
        ("first", "max"): 0.0066,
        ("max", "mean"): 0.0109,
        ("max", "first"): 0.0075,
        ("max", "max"): 0.0095,
    }
)
CHANCE = 0.00749
