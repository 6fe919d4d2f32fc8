"""Libraries of aligned vectors, and files through a head."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import moviola
from moviola.align import Aligner, LinearMaps, Side
from moviola.analysis.width_sweep import sweep_files, write_sweep
from moviola.core import Clip, Embeddings, SpaceMismatchError, Span, Text
from moviola.library import Library
from moviola.pipeline.align.config import FitConfig
from moviola.pipeline.align.fitting import PairFiles, apply_head, fit_files
from moviola.pipeline.search import search as searching
from moviola.store import open_clips
from moviola.testing import EchoEncoder

ECHO = "moviola.testing:EchoEncoder"


def head_for(seed: int) -> Aligner:
    """A head for the echo encoder that turns its space."""
    encoder, rng = EchoEncoder(), np.random.default_rng(seed)
    size = encoder.space.dimension
    rows = rng.normal(size=(50, size)).astype(np.float32)
    offsets = np.arange(51)
    texts = Embeddings(
        [Text(str(n), "") for n in range(50)], offsets, [rows], encoder.space, encoder.text_readout
    )
    clips = Embeddings(
        [Clip(str(n), Path(), Span(0, 1)) for n in range(50)],
        offsets,
        [rows],
        encoder.space,
        encoder.video_readout,
    )
    turned = np.linalg.qr(rng.normal(size=(size, size)))[0].astype(np.float32)
    return Aligner(Side.of(texts), Side.of(clips), LinearMaps(turned, turned))


def test_a_library_of_aligned_vectors(tmp_path: Path, colour_video) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    colour_video(videos / "red.mp4", (220, 20, 20), seconds=2)
    colour_video(videos / "blue.mp4", (20, 20, 220), seconds=2)
    head, other = head_for(1), head_for(2)
    head.save_pretrained(tmp_path / "head")
    other.save_pretrained(tmp_path / "other")
    place = tmp_path / "lib"
    moviola.index([videos], library=place, model=ECHO, head=tmp_path / "head")
    library = Library.open(place)
    assert library.card.space == head.space
    assert library.videos()
    found = moviola.search("blue", library=place, top=1)
    assert found[0].path == videos / "blue.mp4"
    # Again with the head that the library keeps; and never with another, or with none.
    assert moviola.index([videos], library=place).skipped == 2
    with pytest.raises(SpaceMismatchError, match="space head"):
        moviola.index([videos], library=place, head=tmp_path / "other")
    shutil.rmtree(place / "head")
    other.save_pretrained(place / "head")
    searching._encoder.cache_clear()  # as another process would find it
    with pytest.raises(SpaceMismatchError, match="space head"):
        moviola.search("blue", library=place)
    shutil.rmtree(place / "head")
    searching._encoder.cache_clear()
    with pytest.raises(SpaceMismatchError, match="space"):
        moviola.search("blue", library=place)


def test_a_head_of_another_encoder_is_refused(tmp_path: Path) -> None:
    head_for(1).save_pretrained(tmp_path / "head")
    with pytest.raises(SpaceMismatchError, match="of the encoder"):
        moviola.index([tmp_path], library=tmp_path / "lib", model="shapes", head=tmp_path / "head")
    assert not (tmp_path / "lib").exists()


def common_pairs(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two captions a video; both sides see eight numbers through maps of their own, and noise."""
    rng = np.random.default_rng(0)
    meaning, owners = rng.normal(size=(count, 8)), np.repeat(np.arange(count), 2)
    texts = meaning[owners] @ rng.normal(size=(8, 24)) + rng.normal(size=(2 * count, 24))
    videos = meaning @ rng.normal(size=(8, 32)) + rng.normal(size=(count, 32))
    return texts.astype(np.float32), videos.astype(np.float32), owners


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pairs")
    texts, videos, owners = common_pairs(250)
    for name, array in {
        "t": texts[:400],
        "v": videos[:200],
        "o": owners[:400],
        "tt": texts[400::2],
        "tv": videos[200:],
    }.items():
        np.save(folder / f"{name}.npy", array)
    return folder


def test_files_are_fitted_measured_and_mapped(files: Path, tmp_path: Path) -> None:
    config = FitConfig(
        *(str(files / f"{name}.npy") for name in ("t", "v", "o")),
        method="cca",
        test_texts=str(files / "tt.npy"),
        test_videos=str(files / "tv.npy"),
    )
    head = fit_files(config, out=tmp_path / "head")
    card = json.loads((tmp_path / "head" / "head.json").read_text())
    assert card["fit"]["test"]["n_queries"] == 50
    count = apply_head(
        head, out=tmp_path / "store", texts=None, videos=str(files / "tv.npy"), pooling=None
    )
    stored = open_clips(tmp_path / "store")
    assert count == len(stored) == 50
    assert stored.space == Aligner.from_pretrained(tmp_path / "head").space


def test_a_sweep_tells_each_width(files: Path, tmp_path: Path) -> None:
    pairs = PairFiles(*(str(files / f"{name}.npy") for name in ("t", "v", "o")))
    found = sweep_files(pairs, [2, 8, 999])
    assert [each.width for each in found] == [2, 8, 24]
    assert found[0].mrr < found[1].mrr
    assert all(each.interval[0] < each.mrr < each.interval[1] for each in found)
    assert all(each.r1_interval[0] <= each.r1 <= each.r1_interval[1] for each in found)
    write_sweep(found, tmp_path / "sweep.html")
    page = (tmp_path / "sweep.html").read_text()
    assert "<svg" in page
    assert f"{found[1].mrr:.4f}" in page
