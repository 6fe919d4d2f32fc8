from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.align.data.pairs import make_pairs, write_pairs

OWNER = np.repeat(np.arange(30), 20)


@given(
    counts=st.lists(st.integers(1, 6), min_size=3, max_size=12),
    positives=st.integers(1, 5),
    negatives=st.integers(1, 5),
    seed=st.integers(0, 9),
)
def test_tables_hold_what_they_promise(counts, positives, negatives, seed) -> None:
    owner = np.repeat(np.arange(len(counts)), counts)
    owner = np.random.default_rng(seed).permutation(owner)
    videos = np.arange(len(counts) - 1)  # the last video is of another split
    others = len(owner) - counts[-1] - max(counts[:-1])
    if others < negatives * positives + negatives:
        return
    table = make_pairs(owner, videos, positives=positives, negatives=negatives, seed=seed)
    assert ((owner[table.texts] == table.videos) == table.labels).all()
    assert set(table.videos) == set(videos)
    assert len(counts) - 1 not in owner[table.texts]
    pairs = list(zip(table.texts, table.videos, strict=True))
    assert len(set(pairs)) == len(pairs)
    for video in videos:
        own = table.labels[table.videos == video]
        assert own.sum() == min(positives, counts[video])
        assert (~own).sum() == max(1, round(negatives * own.sum() / positives))


def test_the_report_has_one_of_each_or_twenty_of_each() -> None:
    one = make_pairs(OWNER, np.arange(30))
    assert len(one) == 60
    assert one.labels.mean() == 0.5
    twenty = make_pairs(OWNER, np.arange(30), positives=20, negatives=20)
    assert len(twenty) == 30 * 40
    assert twenty.labels.mean() == 0.5


def test_equal_seeds_give_equal_tables_and_pairs_are_shuffled() -> None:
    first, second, other = (make_pairs(OWNER, np.arange(30), seed=seed) for seed in (3, 3, 4))
    assert (first.texts == second.texts).all()
    assert (first.videos == second.videos).all()
    assert (first.texts != other.texts).any()
    assert (np.diff(first.videos) < 0).any()


def test_negatives_come_from_all_other_videos() -> None:
    table = make_pairs(OWNER, np.arange(30), positives=20, negatives=20)
    foreign = OWNER[table.texts[~table.labels]]
    assert len(np.unique(foreign)) == 30


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"positives": 0}, "at least 1"),
        ({"videos": np.array([1])}, "wants 1 captions of other videos and there are 0"),
        ({"videos": np.array([1, 2, 99])}, "video 99 has no caption"),
    ],
)
def test_what_cannot_be_made_is_refused(options, told) -> None:
    with pytest.raises(ValueError, match=told):
        make_pairs(OWNER, **{"videos": np.arange(30), **options})


def test_tables_are_written_as_csv(tmp_path: Path) -> None:
    tables = {
        "train": make_pairs(OWNER, np.arange(20)),
        "val": make_pairs(OWNER, np.arange(20, 30)),
    }
    texts = [f"v{video}-{row}" for row, video in enumerate(OWNER)]
    write_pairs(tmp_path / "pairs.csv", tables, texts, [f"v{video}" for video in range(30)])
    with (tmp_path / "pairs.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    for row in rows:
        assert (row["text"].partition("-")[0] == row["video"]) == (row["label"] == "1")
    assert {row["split"] for row in rows} == {"train", "val"}
