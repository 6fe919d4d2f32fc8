"""The container of a head: what it refuses, and that it comes back from a folder as it was."""

from __future__ import annotations

import json
import pickle
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from moviola.align import Aligner, LinearMaps, Side
from moviola.align.head.card import CARD, WEIGHTS
from moviola.core import (
    Clip,
    Embeddings,
    Readout,
    Space,
    SpaceMismatchError,
    Span,
    StoreCorruptError,
    Text,
    WeightsUnavailableError,
)
from moviola.score import cosine, dot

MODEL = Space("model", "1", "aa", 8)
READOUT = Readout("224 pixels", pooling="mean")


def texts(rows: np.ndarray, space: Space = MODEL, readout: Readout = READOUT) -> Embeddings[Text]:
    items = [Text(f"t{number}", "") for number in range(len(rows))]
    offsets = np.arange(len(rows) + 1, dtype=np.int64)
    return Embeddings(items, offsets, [rows.astype(np.float32)], space, readout)


def clips(rows: np.ndarray, space: Space | None = None) -> Embeddings[Clip]:
    items = [Clip(f"v{number}", Path(), Span(0, 1)) for number in range(len(rows))]
    offsets = np.arange(len(rows) + 1, dtype=np.int64)
    space = space or Space.anonymous(rows.shape[1])
    return Embeddings(items, offsets, [rows.astype(np.float32)], space, Readout("unknown"))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def head(rng: np.random.Generator) -> Aligner:
    maps = LinearMaps(
        rng.normal(size=(8, 4)).astype(np.float32),
        rng.normal(size=(6, 4)).astype(np.float32),
        rng.random((2, 4)).astype(np.float32),
    )
    one, two = texts(3 + 5 * rng.normal(size=(400, 8))), clips(2 * rng.normal(size=(300, 6)))
    return Aligner(Side.of(one), Side.of(two), maps, {"method": "by hand"})


def test_penalised_scores_are_dot_products(head: Aligner, rng: np.random.Generator) -> None:
    asked, found = texts(3 + 5 * rng.normal(size=(5, 8))), clips(2 * rng.normal(size=(7, 6)))
    scores = dot(head.align_texts(asked), head.align_clips(found)).matrix
    weights = head.tensors()
    for row in range(5):
        for column in range(7):
            x = (asked.rows(row)[0] - head.texts.mean) / head.texts.scale @ weights["maps.texts"]
            y = (found.rows(column)[0] - head.clips.mean) / head.clips.scale @ weights["maps.clips"]
            own = weights["maps.penalty"]
            wanted = x @ y - own[0] @ (x * x) - own[1] @ (y * y)
            assert scores[row, column] == pytest.approx(wanted, rel=1e-4, abs=1e-4)


def test_without_a_penalty_the_score_is_a_cosine(rng: np.random.Generator) -> None:
    same = np.eye(6, dtype=np.float32)
    rows = rng.normal(size=(50, 6))
    one, two = texts(rows, Space.anonymous(6), Readout("unknown")), clips(rows)
    head = Aligner(Side.of(one), Side.of(two), LinearMaps(same, same))
    assert np.diag(cosine(head.align_texts(one), head.align_clips(two)).matrix) == pytest.approx(1)


def test_a_head_comes_back_from_its_folder(head: Aligner, tmp_path: Path) -> None:
    head.save_pretrained(tmp_path / "head")
    assert {path.name for path in (tmp_path / "head").iterdir()} == {CARD, WEIGHTS, "README.md"}
    back = Aligner.from_pretrained(tmp_path / "head")
    assert back.space == head.space
    assert back.fit == {"method": "by hand"}
    assert back.texts.readout == READOUT
    head.save_pretrained(tmp_path / "head")  # an earlier head is replaced


def test_a_head_replaces_nothing_else(head: Aligner, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="no earlier head"):
        head.save_pretrained(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_other_weights_are_another_space(head: Aligner) -> None:
    tensors = {name: tensor.copy() for name, tensor in head.maps.tensors().items()}
    tensors["texts"][0, 0] += 1e-3
    other = replace(head, maps=LinearMaps.build(tensors, {}))
    assert other.space != head.space
    assert replace(head, fit={"seconds": 3}).space == head.space


def test_changed_weights_are_refused(head: Aligner, tmp_path: Path) -> None:
    head.save_pretrained(tmp_path / "head")
    tensors = load_file(tmp_path / "head" / WEIGHTS)
    tensors["maps.texts"][0, 0] += 1
    save_file(tensors, tmp_path / "head" / WEIGHTS)
    with pytest.raises(StoreCorruptError, match="not those of its card"):
        Aligner.from_pretrained(tmp_path / "head")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "magic"}, "no head is of kind 'magic'"),
        ({"version": 99}, "version 99"),
        ({"schema": "x"}, "not the card of a Moviola head"),
        ({"options": {"layers": 3}}, "knows nothing of layers"),
        ({"texts": {}}, "cannot be built"),
    ],
)
def test_a_strange_card_is_refused(
    head: Aligner, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    head.save_pretrained(tmp_path / "head")
    card = json.loads((tmp_path / "head" / CARD).read_text())
    (tmp_path / "head" / CARD).write_text(json.dumps(card | change))
    with pytest.raises(StoreCorruptError, match=message):
        Aligner.from_pretrained(tmp_path / "head")


def _claiming(length: int) -> bytes:
    """A file of safetensors whose header claims `length` bytes and holds few."""
    return length.to_bytes(8, "little") + b'{"maps.texts":'


HOSTILE_WEIGHTS = {
    "pickle": pickle.dumps({"maps.texts": [1.0]}),
    "zip of pickles": b"PK\x03\x04" + pickle.dumps({}),
    "cut": None,
    "10 GB": _claiming(10 << 30),
    "all of 64 bits": _claiming((1 << 64) - 1),
    "nested": b"\x40\x42\x0f\x00\x00\x00\x00\x00" + b"[" * 1_000_000,
    "nothing": b"",
}


@pytest.mark.parametrize("content", HOSTILE_WEIGHTS.values(), ids=HOSTILE_WEIGHTS)
def test_m20_hostile_weights_of_a_head_are_refused_at_once(
    head: Aligner, tmp_path: Path, content: bytes | None
) -> None:
    head.save_pretrained(tmp_path / "head")
    path = tmp_path / "head" / WEIGHTS
    path.write_bytes(path.read_bytes()[:-20] if content is None else content)
    began = time.monotonic()
    with pytest.raises(StoreCorruptError, match=r"is damaged .* fit the head again"):
        Aligner.from_pretrained(tmp_path / "head")
    assert time.monotonic() - began < 1


def test_m20_code_behind_the_weights_is_refused(head: Aligner, tmp_path: Path) -> None:
    head.save_pretrained(tmp_path / "head")
    path = tmp_path / "head" / WEIGHTS
    path.write_bytes(path.read_bytes() + pickle.dumps(print))
    with pytest.raises(StoreCorruptError, match="is damaged"):
        Aligner.from_pretrained(tmp_path / "head")


def test_what_is_no_head_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreCorruptError, match="has no head"):
        Aligner.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match="there is no head"):
        Aligner.from_pretrained(tmp_path / "absent")

    def offline(*_: object, **__: object) -> str:
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(WeightsUnavailableError, match="no network"):
        Aligner.from_pretrained("somebody/head")


def test_a_head_is_pushed_with_a_filled_card(
    head: Aligner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hub:
        def create_repo(self, repository: str, **_: object) -> None:
            assert repository == "somebody/head"

        def upload_folder(self, *, folder_path: str, **_: object) -> object:
            pushed = Aligner.from_pretrained(folder_path)
            assert pushed.space == head.space
            assert "method: by hand" in (Path(folder_path) / "README.md").read_text()
            return type("Commit", (), {"commit_url": "https://hub/commit"})()

    monkeypatch.setattr("huggingface_hub.HfApi", Hub)
    assert head.push_to_hub("somebody/head") == "https://hub/commit"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"space": replace(MODEL, weights="bb")}, "weights"),
        ({"space": replace(MODEL, model="other")}, "model"),
        ({"readout": replace(READOUT, pooling="max")}, "pooling"),
        ({"readout": replace(READOUT, layer="12")}, "layer"),
        ({"readout": Readout("unknown", pooling="max"), "space": Space.anonymous(8)}, "'max'"),
    ],
)
def test_vectors_of_another_kind_are_refused(
    head: Aligner, rng: np.random.Generator, change: dict[str, object], message: str
) -> None:
    given = replace(texts(3 + 5 * rng.normal(size=(30, 8))), **change)
    with pytest.raises(SpaceMismatchError, match=message):
        head.align_texts(given)


def test_vectors_of_another_length_are_refused(head: Aligner) -> None:
    with pytest.raises(SpaceMismatchError, match="7 numbers"):
        head.align_clips(clips(np.ones((3, 7))))


def test_bare_arrays_of_another_spread_are_refused(head: Aligner, rng: np.random.Generator) -> None:
    rows = 2 * rng.normal(size=(30, 6))
    head.align_clips(clips(rows))
    with pytest.raises(SpaceMismatchError, match="spread otherwise"):
        head.align_clips(clips(12 * rows))


def test_unpooled_rows_are_refused_by_a_head_for_one_row(head: Aligner) -> None:
    rows = np.random.default_rng(1).normal(size=(6, 8)).astype(np.float32) * 5 + 3
    ragged = Embeddings([Text("a", ""), Text("b", "")], np.array([0, 2, 6]), [rows], MODEL, READOUT)
    with pytest.raises(ValueError, match="several rows"):
        head.align_texts(ragged)
