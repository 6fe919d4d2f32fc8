"""The card: round trip, refusals that name what differs, and damage."""

from __future__ import annotations

import json
import os
from dataclasses import replace

import pytest

from moviola.core import Readout, Space, SpaceMismatchError, StoreCorruptError
from moviola.library import Library, LibraryCard
from moviola.library.storage.card import CARD_NAME, SCHEMA

SPACES = {
    "model": "other",
    "revision": "r2",
    "weights": "w2",
    "dimension": 17,
    "metric": "dot",
    "head": "h1",
}
READOUTS = {
    "preprocessing": "resize 96",
    "sampling": "uniform:4",
    "prompt": "{}",
    "layer": "layer 3",
    "tokens": "last",
    "pooling": "mean",
}


def test_a_card_survives_its_round_trip(tmp_path, card):
    calibrated = replace(
        card, calibration=(12.5, -3.0), created="2026-01-02T03:04:05+00:00", sharpness=15.0
    )
    calibrated.write(tmp_path)
    assert LibraryCard.read(tmp_path) == calibrated


def test_a_card_of_before_sharpens_nothing(tmp_path, card):
    replace(card, created="2026-01-02T03:04:05+00:00", sharpness=15.0).write(tmp_path)
    path = tmp_path / CARD_NAME
    parts = json.loads(path.read_text())
    del parts["sharpness"], parts["checksums"]["sharpness"]
    path.write_text(json.dumps(parts))
    assert LibraryCard.read(tmp_path).sharpness == 0


def test_the_vectors_of_this_card_are_accepted(library, card):
    library.require(
        space=card.space,
        video_readout=card.video_readout,
        text_readout=card.text_readout,
        segment=card.segment,
    )
    library.require()


@pytest.mark.parametrize("part", SPACES)
def test_another_space_is_refused_by_name(library, card, part):
    other = replace(card.space, **{part: SPACES[part]})
    with pytest.raises(SpaceMismatchError) as refusal:
        library.require(space=other)
    message = str(refusal.value)
    assert f"space {part} is" in message
    assert repr(SPACES[part]) in message
    assert "--model stub --segment windows:6/3" in message
    assert "--library" in message
    assert refusal.value.exit_code == 4


@pytest.mark.parametrize("tower", ["video_readout", "text_readout"])
@pytest.mark.parametrize("part", READOUTS)
def test_another_readout_is_refused_by_name(library, card, tower, part):
    other = replace(getattr(card, tower), **{part: READOUTS[part]})
    with pytest.raises(SpaceMismatchError, match=f"{tower.replace('_', ' ')} {part} is"):
        library.require(**{tower: other})


def test_another_segmentation_is_refused_by_name(library):
    with pytest.raises(SpaceMismatchError, match=r"segment is 'windows:6/3' there and 'shots'"):
        library.require(segment="shots")


def test_every_difference_is_named_at_once(library, card):
    space = replace(card.space, model="x", weights="y")
    with pytest.raises(SpaceMismatchError, match=r"space model .* space weights .* segment"):
        library.require(space=space, segment="whole")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"schema": 1}', '{"schema": "x"}', "\x00\x01"],
    ids=["empty", "cut", "list", "null", "fields", "number", "binary"],
)
def test_a_damaged_card_is_told_with_its_name(library, text):
    (library.path / CARD_NAME).write_text(text)
    with pytest.raises(StoreCorruptError, match=r"library\.json is damaged .*moviola repair"):
        Library.open(library.path)


def test_every_flipped_bit_of_a_card_is_found(library):
    path = library.path / CARD_NAME
    whole, card = path.read_bytes(), Library.open(library.path).card
    compared = ("space", "video_readout", "text_readout")
    for place in range(0, len(whole), 3):
        for bit in (0, 2, 5):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            try:
                found = Library.open(library.path)
            except StoreCorruptError:
                continue
            # Blanks may change. Vectors of another space are refused when a model is loaded.
            same = {part: getattr(found.card, part) for part in compared}
            assert replace(card, **same) == found.card
            assert found.card == card or "card's" in found.verify()[0].what


def test_every_truncation_of_a_card_is_damage(library):
    path = library.path / CARD_NAME
    whole = path.read_bytes()
    for length in range(0, len(whole) - 2, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(StoreCorruptError, match="damaged"):
            Library.open(library.path)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"schema": 0}',
        '{"schema": -1}',
        '{"schema": true}',
        '{"schema": Infinity}',
        '{"schema": 1e400}',
        '{"schema": ' + "9" * 5000 + "}",
        " " * (2 << 20),
    ],
    ids=["lists", "objects", "0", "-1", "true", "infinity", "1e400", "digits", "long"],
)
def test_hostile_cards_are_damage(library, text):
    (library.path / CARD_NAME).write_text(text)
    with pytest.raises(StoreCorruptError):
        Library.open(library.path)


@pytest.mark.parametrize("schema", [0, -1])
def test_a_schema_that_never_was_is_refused(library, schema):
    path = library.path / CARD_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": schema}))
    with pytest.raises(StoreCorruptError, match=f"there is no schema {schema}"):
        Library.open(library.path)


def test_a_card_that_is_a_pipe_does_not_block(library):
    path = library.path / CARD_NAME
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreCorruptError, match="no short text file"):
        Library.open(library.path)


@pytest.mark.parametrize("part", ["space", "video_readout", "calibration", "extra"])
def test_a_card_with_other_parts_is_damaged(library, part):
    path = library.path / CARD_NAME
    parts = json.loads(path.read_text())
    path.write_text(json.dumps(parts | {part: {"strange": 1}}))
    with pytest.raises(StoreCorruptError, match="damaged"):
        Library.open(library.path)


def test_a_newer_layout_is_refused(library):
    path = library.path / CARD_NAME
    parts = json.loads(path.read_text())
    path.write_text(json.dumps(parts | {"schema": SCHEMA + 1, "new": True}))
    with pytest.raises(StoreCorruptError, match="newer Moviola"):
        Library.open(library.path)


def test_unit_vectors_are_stored_in_half_precision_and_others_in_single(card):
    assert card.vector_type == "float16"
    assert replace(card, space=Space("a", "b", "c", 4, "dot")).vector_type == "float32"


def test_names_of_one_model_do_not_matter(library, card):
    library.require(space=replace(card.space), video_readout=Readout("resize 64", "uniform:8"))
