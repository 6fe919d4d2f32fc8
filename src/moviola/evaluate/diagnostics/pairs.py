"""Examine both sides together: modality gap, alignment, scores of positives and negatives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.evaluate.diagnostics.findings import Figures, Finding
from moviola.evaluate.diagnostics.sides import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Counts = NDArray[np.int64]

#: Positives and negatives of which scores are compared.
PAIRS = 20_000
_BINS = 40


@dataclass(frozen=True, slots=True)
class Relevance:
    """Hold rows that belong together: `(P,)` of texts and `(P,)` of videos, in pairs."""

    texts: Counts
    videos: Counts

    def sample(self, size: int, rng: np.random.Generator) -> tuple[Counts, Counts]:
        """Draw at most `size` of the pairs."""
        if len(self.texts) <= size:
            return self.texts, self.videos
        some = rng.choice(len(self.texts), size, replace=False)
        return self.texts[some], self.videos[some]

    def negatives(
        self, shape: tuple[int, int], size: int, rng: np.random.Generator
    ) -> tuple[Counts, Counts]:
        """Draw at most `size` random pairs that do not belong together."""
        texts, videos = (rng.integers(0, count, (size,), np.int64) for count in shape)
        own = np.isin(texts * shape[1] + videos, self.texts * shape[1] + self.videos)
        return texts[~own], videos[~own]


def look_at_gap(texts: Side, videos: Side) -> tuple[list[Finding], Figures]:
    """Measure the modality gap: how far apart the centres of both sides lie.

    Liang, Zhang, Kwon, Yeung and Zou, "Mind the Gap: Understanding the Modality Gap in Multi-modal
    Contrastive Representation Learning", 2022, section 2.
    """
    centres = [side.directed.mean(axis=0, dtype=np.float64) for side in (texts, videos)]
    gap = float(np.linalg.norm(centres[0] - centres[1]))
    # The mean squared distance of a random text and a random video, both of unit length.
    spread = 2.0 - 2.0 * float(centres[0] @ centres[1])
    share = gap**2 / spread if spread > 1e-9 else 0.0
    figures: Figures = {"modality_gap": gap, "gap_share": share}
    if share < 0.25:
        return [], figures
    return [
        Finding(
            "info",
            "modality-gap",
            "pairs",
            f"The centres of captions and videos lie {gap:.2f} apart, {share:.0%} of the mean "
            f"squared distance of a random pair: each side sits in a cone of its own, as training "
            f"leaves them; subtract each side's training mean before a head or a mixed index, but "
            f"expect little of it for R@1.",
        )
    ], figures


def look_at_separation(positives: Values, negatives: Values) -> tuple[list[Finding], Figures]:
    """Compare the scores of captions with their own videos and with others.

    Args:
        positives: `(P,)` scores of pairs that belong together.
        negatives: `(P',)` scores of random pairs that do not.
    """
    if not len(positives) or not len(negatives):
        return [], {}
    area = _area(positives, negatives)
    spread = float(np.concatenate([positives, negatives]).std())
    size = float(np.abs(negatives).mean())
    low = float(min(positives.min(), negatives.min()))
    high = float(max(positives.max(), negatives.max()))
    edges = np.linspace(low, high if high > low else low + 1e-6, _BINS + 1)
    figures: Figures = {
        "positive_mean": float(positives.mean()),
        "positive_sd": float(positives.std()),
        "negative_mean": float(negatives.mean()),
        "negative_sd": float(negatives.std()),
        "auc": area,
        "histogram": {
            "edges": edges.tolist(),
            "positives": np.histogram(positives, edges)[0].tolist(),
            "negatives": np.histogram(negatives, edges)[0].tolist(),
        },
    }
    findings: list[Finding] = []
    if spread < 0.01 * max(size, 1e-9):
        findings.append(
            Finding(
                "error",
                "collapsed",
                "pairs",
                f"All scores lie within about {spread:.1g} of {negatives.mean():.3f}: both towers "
                f"answer the same for everything, as after a squared error on cosines with as many "
                f"negatives as positives; standardise the inputs, and train with InfoNCE.",
            )
        )
    if area < 0.9:
        findings.append(_unseparated(area))
    return findings, figures


def alignment(positives: Values) -> float:
    """Compute the mean squared distance of unit vectors that belong together, from their cosines.

    Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
    Uniformity on the Hypersphere", 2020, section 4.1.1.
    """
    return float((2.0 - 2.0 * positives).mean())


def _unseparated(area: float) -> Finding:
    seen = f"A caption scores higher with its own video than with another in {area:.0%} of cases"
    if area < 0.55:
        return Finding(
            "error",
            "unaligned",
            "pairs",
            f"{seen}, as good as a coin: two spaces that were never aligned, or captions that are "
            f"paired with the wrong videos; check the order or --caption-video, then fit a head.",
        )
    return Finding(
        "warning",
        "weakly-aligned",
        "pairs",
        f"{seen}: the two sides share only a part of their geometry; fit a head on training pairs, "
        f"and try other layers and poolings.",
    )


def _area(positives: Values, negatives: Values) -> float:
    """Compute the chance that a positive scores above a negative, ties counting half."""
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, side="left")
    upto = np.searchsorted(ordered, positives, side="right")
    return float((below + upto).mean() / (2 * len(ordered)))
