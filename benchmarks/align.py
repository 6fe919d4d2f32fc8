"""Aligning frozen embeddings: how well, how fast, and beside what.

    python benchmarks/align.py planted --dimension 4096 --draws 3
    python benchmarks/align.py pairs FOLDER
    python benchmarks/align.py report

`planted` fits the defaults on draws of the planted pairs and holds them against their oracle.
`pairs` measures five folds by video of real pairs: a folder with `caption_embeddings.npy`,
`video_embeddings.npy` and `caption_video_index.npy`. `report` times steps of the loop that the
reference report trained with, and a fit by default beside it, and tells what the whole loop would
take, in hours and in fits.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from moviola.align import Aligner
from moviola.align.fit import UnseenPairs, fit, measure
from moviola.core import Clip, Embeddings, Readout, Space, Span, Text
from moviola.evaluate import compare
from moviola.synthetic.planted.pairs import PlantedPairs, plant

Rows = np.ndarray
Scorer = Callable[[Rows, Rows, np.ndarray, Rows, Rows], Rows]


def embedded(texts: Rows, clips: Rows) -> tuple[Embeddings[Text], Embeddings[Clip]]:
    """Bare arrays as embeddings."""
    unknown = Readout("unknown")
    return (
        Embeddings(
            [Text(f"t{row}", "") for row in range(len(texts))],
            np.arange(len(texts) + 1),
            [texts],
            Space.anonymous(texts.shape[1]),
            unknown,
        ),
        Embeddings(
            [Clip(f"v{row}", Path(), Span(0.0, 1.0)) for row in range(len(clips))],
            np.arange(len(clips) + 1),
            [clips],
            Space.anonymous(clips.shape[1]),
            unknown,
        ),
    )


def found_first(scores: Rows, owner: np.ndarray) -> tuple[float, float]:
    """R@1 in percent and MRR, ties in nobody's favour."""
    ranks = 1 / reciprocal(scores, owner)
    return 100 * float((ranks <= 1).mean()), float((1 / ranks).mean())


def reciprocal(scores: Rows, owner: np.ndarray) -> np.ndarray:
    """Reciprocal ranks, ties in the middle."""
    own = scores[np.arange(len(owner)), owner][:, None]
    above, equal = (scores > own).sum(axis=1), (scores == own).sum(axis=1)
    return 1 / (above + (equal + 1) / 2)


def planted(dimension: int, videos: int, captions: int, draws: int, method: str) -> None:
    """Defaults on draws of the planted pairs, beside the oracle."""
    shares: list[float] = []
    for seed in range(draws):
        draw = plant(100 + seed, dimension=dimension, videos=videos, captions=captions)
        oracle = found_first(draw.test.oracle, draw.test.owners)
        given, owner = _of(draw.train), draw.train.owners
        test = UnseenPairs(*_of(draw.test), draw.test.owners)
        del draw
        head, wall, cpu = _timed_fit(given, owner, method)
        t2v = measure(head, test).t2v
        shares.append(100 * t2v["R@1"] / oracle[0])
        print(
            f"d {dimension}, {videos} x {captions}, draw {100 + seed}: {head.fit['method']} R@1 "
            f"{t2v['R@1']:.1f} MRR {t2v['MRR']:.4f}; oracle R@1 {oracle[0]:.1f} MRR "
            f"{oracle[1]:.4f}; {shares[-1]:.1f} % of the oracle's R@1; {wall:.1f} s, "
            f"{cpu:.1f} s CPU; bank {head.fit['choice'].get('bank')}",
            flush=True,
        )
    print(f"mean share of the oracle's R@1: {np.mean(shares):.1f} %")


def _timed_fit(
    given: tuple[Embeddings[Text], Embeddings[Clip]], owner: np.ndarray, method: str
) -> tuple[Aligner, float, float]:
    """A head, and the seconds by the clock and of the processor that it took."""
    begun = time.perf_counter(), time.process_time()
    head = fit(*given, owner, method=method)
    return head, time.perf_counter() - begun[0], time.process_time() - begun[1]


def _of(pairs: PlantedPairs) -> tuple[Embeddings[Text], Embeddings[Clip]]:
    # Half precision, as stores hold them.
    return embedded(pairs.texts.astype(np.float16), pairs.videos.astype(np.float16))


@dataclass(frozen=True)
class Folds:
    """Five folds by video; galleries of at most 200 videos of a fold."""

    texts: Rows
    clips: Rows
    owner: np.ndarray

    def measured(self, scorer: Scorer) -> dict[str, np.ndarray]:
        """Per caption: R@1, R@10 and the reciprocal rank."""
        fold = np.random.default_rng(1).permutation(len(self.clips)) % 5
        found = np.empty(len(self.texts))
        for number in range(5):
            train, test = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
            known, asked = np.isin(self.owner, train), np.isin(self.owner, test)
            owner = np.searchsorted(train, self.owner[known])
            scores = scorer(
                self.texts[known], self.clips[train], owner, self.texts[asked], self.clips[test]
            )
            place = np.searchsorted(test, self.owner[asked])
            ranks = np.empty(len(place))
            drawn = np.random.default_rng(number).permutation(len(test))
            for part in np.array_split(drawn, -(-len(test) // 200)):
                gallery = np.sort(part)
                here = np.isin(place, gallery)
                ranks[here] = reciprocal(
                    scores[here][:, gallery], np.searchsorted(gallery, place[here])
                )
            found[asked] = ranks
        return {"R@1": found >= 1, "R@10": found >= 0.1, "MRR": found}


def pairs(folder: Path) -> None:
    """Five folds of real pairs, and what other ways make of them."""
    folds = Folds(
        np.load(folder / "caption_embeddings.npy"),
        np.load(folder / "video_embeddings.npy"),
        np.load(folder / "caption_video_index.npy").astype(np.int64),
    )
    plain = {
        (shrinkage, alike): folds.measured(_plain_cca(shrinkage, each_pair=alike))
        for shrinkage in (0.3, 1.0, 3.0, 10.0)
        for alike in (False, True)
    }
    best = max(plain, key=lambda key: plain[key]["MRR"].mean())
    others = {
        f"plain CCA, shrinkage {best[0]:g}, best of eight by the test": plain[best],
        "procrustes": folds.measured(_method("procrustes")),
        "InfoNCE MLP, random start": folds.measured(_method("mlp")),
    }
    if folds.texts.shape[1] == folds.clips.shape[1]:
        others["centring"] = folds.measured(_method("centring"))
    else:
        print("centring: sides differ in dimension, it does not apply")
    ours = folds.measured(_method("auto"))
    for name, found in [*others.items(), ("moviola, defaults", ours)]:
        told = compare(
            {key: value.astype(float) for key, value in found.items()},
            {key: value.astype(float) for key, value in ours.items()},
            {"R@1": 100.0, "R@10": 100.0},
        )
        print(
            f"{name:55s} "
            + "  ".join(f"{key} {each.a:.4g}" for key, each in told.items())
            + f"   ours is {told['MRR'].difference:+.4f} MRR "
            f"[{told['MRR'].interval[0]:+.4f}, {told['MRR'].interval[1]:+.4f}], "
            f"p {told['MRR'].p:.4f}",
            flush=True,
        )


def _method(method: str) -> Scorer:
    def score(texts: Rows, clips: Rows, owner: np.ndarray, asked: Rows, gallery: Rows) -> Rows:
        head = fit(*embedded(texts, clips), owner, method=method)
        one, two = embedded(asked, gallery)
        return head.align_texts(one).vectors @ head.align_clips(two).vectors.T

    return score


def _plain_cca(shrinkage: float, *, each_pair: bool, width: int = 64) -> Scorer:
    """What a page of NumPy does: mean captions, or every caption with its video; a cosine."""

    def score(texts: Rows, clips: Rows, owner: np.ndarray, asked: Rows, gallery: Rows) -> Rows:
        x, asked = _standard(texts, asked)
        y, gallery = _standard(clips, gallery)
        if each_pair:
            cross, video = x.T @ y[owner] / len(x), y[owner].T @ y[owner] / len(x)
        else:
            order = np.argsort(owner, kind="stable")
            begins = np.searchsorted(owner[order], np.arange(len(y)))
            means = np.add.reduceat(x[order], begins) / np.bincount(owner)[:, None]
            cross, video = means.T @ y / len(y), y.T @ y / len(y)
        factors = [
            np.linalg.cholesky(each + shrinkage * np.eye(len(each)))
            for each in (x.T @ x / len(x), video)
        ]
        whitened = np.linalg.solve(factors[1], np.linalg.solve(factors[0], cross).T).T
        left, values, right = np.linalg.svd(whitened, full_matrices=False)
        weights = np.sqrt(values[:width])
        one = asked @ np.linalg.solve(factors[0].T, left[:, :width]) * weights
        two = gallery @ np.linalg.solve(factors[1].T, right[:width].T) * weights
        return _unit(one) @ _unit(two).T

    return score


def _standard(known: Rows, other: Rows) -> tuple[Rows, Rows]:
    mean, scale = known.mean(axis=0), known.std(axis=0)
    scale[scale == 0] = 1  # a dimension that says nothing
    return (known - mean) / scale, (other - mean) / scale


def _unit(rows: Rows) -> Rows:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def report(seconds: float) -> None:
    """Steps of the reference report's own loop, timed, beside a fit; the rest is multiplication."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    towers = [
        nn.Sequential(
            *(
                layer
                for _ in range(2)
                for layer in (
                    nn.Linear(4096, 4096),
                    nn.ReLU(),
                    nn.LayerNorm(4096),
                    nn.Dropout(0.1),
                )
            )
        ).double()
        for _ in range(2)
    ]
    weights = [each for tower in towers for each in tower.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=1e-3)
    batch = [torch.randn(32, 4096, dtype=torch.float64) for _ in towers]
    truth = torch.arange(32).remainder(2).double()
    steps, begun = -1, 0.0
    while steps < 3 or time.perf_counter() - begun < seconds:
        cosine = torch.cosine_similarity(*(t(b) for t, b in zip(towers, batch, strict=True)))
        loss = ((cosine - truth) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
        if not steps:  # the first step also makes the optimiser's state
            begun = time.perf_counter()
    step = (time.perf_counter() - begun) / steps
    draw = plant(100, dimension=4096, videos=7000, captions=20)
    _, wall, _ = _timed_fit(_of(draw.train), draw.train.owners, "auto")
    print(f"a fit by default on 7,000 x 20 pairs, selection included: {wall:.1f} s")
    for name, count in (("1+1 pairs, 30 epochs", 13_125), ("20+20 pairs, 30 epochs", 262_500)):
        print(
            f"the report's loop, {name}: {count:,} steps of {step * 1000:.0f} ms ({steps} timed, "
            f"the rest extrapolated): {count * step / 3600:.2f} h, {count * step / wall:,.0f} "
            f"times the fit"
        )


def main() -> None:
    """Run one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = parser.add_subparsers(dest="part", required=True)
    made = parts.add_parser("planted")
    made.add_argument("--dimension", type=int, default=1024)
    made.add_argument("--videos", type=int, default=7000)
    made.add_argument("--captions", type=int, default=20)
    made.add_argument("--draws", type=int, default=3)
    made.add_argument("--method", default="auto")
    parts.add_parser("pairs").add_argument("folder", type=Path)
    parts.add_parser("report").add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    if given.part == "planted":
        planted(given.dimension, given.videos, given.captions, given.draws, given.method)
    elif given.part == "pairs":
        pairs(given.folder)
    else:
        report(given.seconds)


if __name__ == "__main__":
    main()
