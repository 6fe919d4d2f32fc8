from __future__ import annotations

import numpy as np
import pytest

from moviola.align.data.pairs import PairTable, make_pairs
from moviola.align.data.rows import RaggedRows
from moviola.align.training.batches import PairedRows
from moviola.align.training.pair_checks import check_loader


def _tables(owner: np.ndarray, **options) -> dict[str, PairTable]:
    return {
        "train": make_pairs(owner, np.arange(160), **options),
        "validation": make_pairs(owner, np.arange(160, 240), **options),
    }


def _told(data: PairedRows, tables: dict[str, PairTable]) -> list[tuple[str, str]]:
    found = check_loader(data, tables, batch=32).findings
    return [(finding.severity, finding.sentence) for finding in found]


def test_a_sound_loader_is_described_and_has_no_findings(paired) -> None:
    check = check_loader(paired, _tables(paired.owner), batch=32)
    assert check.is_sound
    assert check.findings == ()
    seen = check.splits["train"]
    assert (seen.pairs, seen.batches, seen.videos, seen.positives) == (320, 10, 160, 0.5)
    assert seen.text_shape == (32, 1, 16)
    assert seen.video_shape == (32, 1, 24)


def test_a_video_in_two_splits_is_a_leak(paired) -> None:
    tables = _tables(paired.owner)
    tables["validation"] = make_pairs(paired.owner, np.arange(159, 240))
    told = _told(paired, tables)
    assert any(
        severity == "error" and sentence.startswith("1 videos are in train and in validation")
        for severity, sentence in told
    )


def test_a_split_by_pair_is_told(paired) -> None:
    whole = make_pairs(paired.owner, np.arange(240), positives=2, negatives=2)
    parts = [
        PairTable(whole.texts[part], whole.videos[part], whole.labels[part])
        for part in (slice(0, 800), slice(800, None))
    ]
    told = _told(paired, {"train": parts[0], "validation": parts[1]})
    assert any("videos are in train and in validation" in sentence for _, sentence in told)
    assert any("texts are in train and in validation" in sentence for _, sentence in told)


@pytest.mark.parametrize(
    ("side", "told"),
    [("texts", "texts of validation have the very vector"), ("clips", "videos of validation have")],
)
def test_copies_across_splits_are_told(paired, side, told) -> None:
    rows = {"texts": paired.texts.rows.copy(), "clips": paired.clips.rows.copy()}
    rows[side][-2:] = rows[side][:2]
    data = PairedRows(*(RaggedRows.pooled(each) for each in rows.values()), paired.owner)
    wide = {"positives": 2, "negatives": 2}
    assert any(told in sentence for _, sentence in _told(data, _tables(paired.owner, **wide)))


def test_constant_and_broken_sides_are_errors(paired) -> None:
    constant = RaggedRows.pooled(np.ones_like(paired.texts.rows))
    told = _told(PairedRows(constant, paired.clips, paired.owner), _tables(paired.owner))
    assert told[0][0] == "error"
    assert any("all texts have one and the same vector" in sentence for _, sentence in told)
    broken = paired.clips.rows.copy()
    broken[3, 2] = np.nan
    data = PairedRows(paired.texts, RaggedRows.pooled(broken), paired.owner)
    assert any(
        "hold NaN or infinity" in sentence for _, sentence in _told(data, _tables(paired.owner))
    )


def test_labels_out_of_balance_and_wrong_labels_are_told(paired) -> None:
    tables = _tables(paired.owner, positives=1, negatives=4)
    assert any(
        "20 % of the pairs are positive" in sentence for _, sentence in _told(paired, tables)
    )
    right = _tables(paired.owner)
    train = right["train"]
    right["train"] = PairTable(train.texts, train.videos, ~train.labels)
    assert any("320 labels contradict" in sentence for _, sentence in _told(paired, right))
