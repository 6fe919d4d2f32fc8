"""Fits: what they refuse, what they reach on planted pairs, and that the test comes last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moviola.align import Aligner
from moviola.align.closed_form.task import Fitted, Task
from moviola.align.fit import UnseenPairs, fit, measure
from moviola.align.methods import METHODS
from moviola.core import Clip, Embeddings, Readout, Space, SpaceMismatchError, Span, Text
from moviola.synthetic.planted.pairs import PlantedPairs, plant

CLOSED = [
    "cca",
    "centring",
    "standardising",
    "all-but-the-top",
    "whitening",
    "procrustes",
    "ridge",
    "asif",
]


def embedded(pairs: PlantedPairs) -> tuple[Embeddings[Text], Embeddings[Clip], np.ndarray]:
    texts = [Text(f"t{row}", "") for row in range(len(pairs.owners))]
    clips = [Clip(f"v{row}", Path(), Span(0, 1)) for row in range(len(pairs.video_offsets) - 1)]
    space, readout = Space.anonymous(pairs.texts.shape[1]), Readout("unknown")
    return (
        Embeddings(texts, pairs.text_offsets, [pairs.texts], space, readout),
        Embeddings(clips, pairs.video_offsets, [pairs.videos], space, readout),
        pairs.owners,
    )


@pytest.fixture(scope="module")
def drawn() -> tuple[PlantedPairs, PlantedPairs]:
    draw = plant(5, dimension=256, videos=600, captions=4, test_videos=200)
    return draw.train, draw.test


@pytest.fixture(scope="module")
def head(drawn: tuple[PlantedPairs, PlantedPairs]) -> Aligner:
    return fit(*embedded(drawn[0]), method="cca", test=lambda: UnseenPairs(*embedded(drawn[1])))


def test_the_default_finds_many_times_what_chance_does(head: Aligner) -> None:
    val, test = head.fit["val"], head.fit["test"]["t2v"]
    assert val["MRR"] > 4 * head.fit["chance_MRR"]
    assert test["MRR"][0] > 0.15
    assert test["MRR"][1] <= test["MRR"][0] <= test["MRR"][2]
    assert val["intervals"]["MRR"][0] < val["MRR"] < val["intervals"]["MRR"][1]


def test_every_way_in_closed_form_is_better_than_chance_and_worse_than_the_default(
    drawn: tuple[PlantedPairs, PlantedPairs], head: Aligner, tmp_path: Path
) -> None:
    given, test = embedded(drawn[0]), UnseenPairs(*embedded(drawn[1]))
    default = measure(head, test).t2v["MRR"]
    chance = float((1 / np.arange(1, 201)).mean())
    for method in CLOSED[1:]:
        made = fit(*given, method=method)
        found = measure(made, test).t2v["MRR"]
        assert 1.5 * chance < found < default, method
        made.save_pretrained(tmp_path / method)
        assert Aligner.from_pretrained(tmp_path / method).space == made.space


def test_equal_seeds_fit_equal_heads(
    drawn: tuple[PlantedPairs, PlantedPairs], head: Aligner
) -> None:
    assert fit(*embedded(drawn[0]), method="cca").space == head.space
    assert fit(*embedded(drawn[0]), method="cca", seed=1).space != head.space


def test_the_test_is_read_when_everything_else_is_done(
    drawn: tuple[PlantedPairs, PlantedPairs],
) -> None:
    done: list[str] = []

    def method(task: Task) -> Fitted:
        fitted = METHODS["cca"](task)
        done.append("fitted")
        return fitted

    def test() -> UnseenPairs:
        done.append("test")
        return UnseenPairs(*embedded(drawn[1]))

    with_test = fit(*embedded(drawn[0]), method=method, test=test)
    assert done == ["fitted", "test"]
    without = fit(*embedded(drawn[0]), method="cca")
    assert with_test.space == without.space
    assert with_test.fit["val"] == without.fit["val"]


def test_the_likelihood_ratio_is_that_of_gaussians() -> None:
    from moviola.align.closed_form.canonical import Canonical
    from moviola.align.closed_form.likelihood import likelihood_maps

    rng = np.random.default_rng(0)
    r = np.array([0.9, 0.5, 0.1], np.float32)
    same = np.eye(3, dtype=np.float32)
    maps = likelihood_maps(Canonical(same, same, r), r, 3)
    x, y = rng.normal(size=(4, 3)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    found = maps.map_texts(x, np.arange(5)) @ maps.map_clips(y, np.arange(6)).T
    for row in range(4):
        for column in range(5):
            wanted = 0.0
            for one, other, rho in zip(x[row], y[column], r, strict=True):
                joint = np.linalg.inv([[1, rho], [rho, 1]])
                pair = np.array([one, other])
                wanted += -0.5 * pair @ joint @ pair + 0.5 * pair @ pair
            assert found[row, column] == pytest.approx(wanted, abs=1e-4)


def test_canonical_correlations_are_those_of_the_full_solution() -> None:
    import torch

    from moviola.align.closed_form.canonical import CanonicalSolver
    from moviola.align.closed_form.covariance import Covariance

    rng = np.random.default_rng(0)
    common = rng.normal(size=(500, 5))
    one, two = (
        np.hstack([common + rng.normal(size=(500, 5)), rng.normal(size=(500, more))])
        for more in (20, 30)
    )
    blocks = [side.T @ other / 500 for side, other in ((one, one), (two, two), (one, two))]
    solver = CanonicalSolver(
        Covariance(*(torch.tensor(b, dtype=torch.float32) for b in blocks), 1.0)
    )
    found = solver.solve((0.1, 0.2), 5)

    def root(matrix: np.ndarray, shrinkage: float) -> np.ndarray:
        values, vectors = np.linalg.eigh(matrix + shrinkage * np.eye(len(matrix)))
        return vectors / np.sqrt(values) @ vectors.T

    wanted = np.linalg.svd(root(blocks[0], 0.1) @ blocks[2] @ root(blocks[1], 0.2))[1][:5]
    assert found.correlations == pytest.approx(wanted, rel=1e-3)
    assert (one @ found.texts).std(axis=0) == pytest.approx(1, abs=0.05)


def test_videos_with_many_captions_do_not_drown_the_rest() -> None:
    from moviola.align.closed_form.covariance import Pairs, gather
    from moviola.align.head.side import Side

    rng = np.random.default_rng(0)
    counts = rng.integers(1, 9, 40)
    owner = rng.permutation(np.repeat(np.arange(40), counts))
    texts, clips = rng.normal(size=(len(owner), 6)), rng.normal(size=(40, 5))
    identity = [
        Side(Space.anonymous(d), Readout("unknown"), np.zeros(d, "f4"), np.ones(d, "f4"), (0, 9))
        for d in (6, 5)
    ]
    pairs = Pairs(texts, clips, owner, *identity)
    found = gather(pairs, pairs.captioned, seed=0).mean()
    weights = np.sqrt(np.bincount(owner))
    share = (weights / np.bincount(owner))[owner]
    total = weights.sum()
    assert found.cross.numpy() == pytest.approx(
        (texts * share[:, None]).T @ clips[owner] / total, abs=1e-5
    )
    assert found.texts.numpy() == pytest.approx(
        (texts * share[:, None]).T @ texts / total, abs=1e-4
    )
    assert found.clips.numpy() == pytest.approx(
        (clips * weights[:, None]).T @ clips / total, abs=1e-5
    )


@pytest.mark.parametrize("side", ["texts", "clips"])
def test_a_constant_side_is_refused(drawn: tuple[PlantedPairs, PlantedPairs], side: str) -> None:
    given = dict(zip(("texts", "clips", "owner"), embedded(drawn[0]), strict=True))
    rows = given[side].shards[0].copy()
    rows[:] = rows[0]
    given[side] = replace(given[side], shards=[rows])
    with pytest.raises(ValueError, match="have the same vector"):
        fit(**given)


def test_what_cannot_be_fitted_is_refused(drawn: tuple[PlantedPairs, PlantedPairs]) -> None:
    texts, clips, owner = embedded(drawn[0])
    with pytest.raises(ValueError, match="no method 'magic'"):
        fit(texts, clips, owner, method="magic")
    with pytest.raises(ValueError, match="rows 0 to 599"):
        fit(texts, clips, owner + 600)
    with pytest.raises(ValueError, match="needs 10 at least"):
        fit(texts, clips, np.zeros_like(owner))
    rows = texts.shards[0].copy()
    rows[7, 3] = np.nan
    with pytest.raises(ValueError, match="row 7 of the texts"):
        fit(replace(texts, shards=[rows]), clips, owner)


def test_unpooled_rows_need_a_pooling_or_a_transformer() -> None:
    draw = plant(1, dimension=64, videos=30, captions=1, test_videos=10, tokens=True)
    with pytest.raises(ValueError, match="fit a transformer"):
        fit(*embedded(draw.train), method="cca")


def test_copies_are_warned_of_and_held_out_together(
    drawn: tuple[PlantedPairs, PlantedPairs],
) -> None:
    from moviola.align.checks import copies
    from moviola.align.data.holding_out import hold_out

    texts, clips, owner = embedded(drawn[0])
    rows = clips.shards[0].copy()
    rows[300:] = rows[:300]
    twice = replace(clips, shards=[rows])
    assert any(
        "exact copies" in each for each in fit(texts, twice, owner, method="cca").fit["warnings"]
    )
    parts, watched = hold_out(np.arange(600), copies(twice), 256, seed=0)
    for part in [*parts, watched]:
        assert set(part % 300 + 300) | set(part % 300) == set(part)


def test_texts_pooled_otherwise_are_refused_even_as_bare_arrays() -> None:
    draw = plant(2, dimension=128, videos=300, captions=1, test_videos=50, tokens=True)

    def pooled(
        pairs: PlantedPairs, how: str
    ) -> tuple[Embeddings[Text], Embeddings[Clip], np.ndarray]:
        sides = []
        for rows, offsets in (
            (pairs.texts, pairs.text_offsets),
            (pairs.videos, pairs.video_offsets),
        ):
            sums = np.add.reduceat(rows, offsets[:-1])
            mean = sums / np.diff(offsets)[:, None]
            sides.append((sums if how == "sum" else mean).astype(np.float32))
        ones = [np.arange(len(side) + 1) for side in sides]
        return embedded(PlantedPairs(sides[1], ones[1], sides[0], ones[0], pairs.owners))

    head = fit(*pooled(draw.train, "mean"), method="cca")
    head.align_texts(pooled(draw.test, "mean")[0])
    with pytest.raises(SpaceMismatchError, match="spread otherwise"):
        head.align_texts(pooled(draw.test, "sum")[0])


def test_the_card_says_how_the_fit_went(head: Aligner) -> None:
    record = head.fit
    assert record["method"] == "cca"
    assert record["data"] == {
        "texts": 2400,
        "videos": 600,
        "dimensions": [256, 256],
        "fitted_videos": 600,
        "watched_videos": 0,
        "reported_videos": 360,
    }
    assert record["figures"]["constant_loss"] == pytest.approx(np.log(record["val"]["n_gallery"]))
    assert record["figures"]["loss"] < record["figures"]["constant_loss"]
    assert not record["figures"]["collapsed"]
    assert record["figures"]["positive"][0] > record["figures"]["negative"][0]
    before, after = record["figures"]["before"], record["figures"]["after"]
    assert before["texts"]["mean_cosine"] > 0.5 > after["texts"]["mean_cosine"]
    choice = record["choice"]
    assert len(choice["train_correlations"]) == len(choice["val_correlations"]) == choice["width"]
    assert choice["train_correlations"][0] > choice["val_correlations"][0]
