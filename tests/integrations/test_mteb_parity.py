"""Vectors of mteb's own wrappers, and ours of the same weights, texts, frames and video."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fixtures.mteb_vectors import KINDS, PICTURES, VECTORS, VIDEO, digest, frames, save, texts
from moviola.core import Frames
from moviola.pipeline.encode.encode import encode_videos
from moviola.plugins import load_encoder
from moviola.store import open_clips

LEAST = 0.99999
FAMILIES = {"pe_av": "pe-av", "qwen3_vl": "qwen3-vl-embedding"}


@pytest.fixture(scope="module")
def theirs() -> dict[str, np.ndarray]:
    with np.load(VECTORS) as found:
        return dict(found)


@pytest.fixture(scope="module", params=KINDS)
def checkpoint(request, theirs, tmp_path_factory) -> tuple[str, str]:
    """A kind, and the name of its tiny checkpoint with the recipe of mteb."""
    kind: str = request.param
    folder: Path = tmp_path_factory.mktemp("mteb") / kind
    save(kind, folder)
    if digest(folder) != str(theirs[f"{kind}-weights"]):
        pytest.fail("these are other weights than the vectors are of; run mteb_vectors.py anew")
    family = "two-tower" if kind in PICTURES else FAMILIES.get(kind, kind)
    return kind, f"{family}:{folder},precision=float32,recipe=mteb"


def least_cosine(ours: np.ndarray, theirs: np.ndarray) -> float:
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (ours, theirs))
    return float((ours * theirs).sum(1).min())


def read_video(name: str, out: Path) -> np.ndarray:
    """Encodes the video into a store, as `moviola encode --model` does, and takes its vector."""
    report = encode_videos([VIDEO], out=out, model=name)
    clips = open_clips(report.written[0])
    assert clips.readout.sampling.startswith("ends:")
    return np.asarray(clips.rows(0), np.float32)


def test_texts_are_those_of_mteb(checkpoint, theirs):
    kind, name = checkpoint
    ours = load_encoder(name).encode_texts(texts(kind))
    assert least_cosine(np.concatenate(ours), theirs[f"{kind}-texts"]) >= LEAST


def test_frames_and_videos_are_those_of_mteb(checkpoint, theirs):
    kind, name = checkpoint
    encoder = load_encoder(f"{name},pooling=none" if kind in PICTURES else name)
    clips = [Frames(clip, np.arange(len(clip)) / 4.0) for clip in frames(kind)]
    ours = np.concatenate(encoder.encode_videos(clips))
    assert least_cosine(ours, theirs[f"{kind}-videos"]) >= LEAST


def test_a_file_is_sampled_as_by_mteb(checkpoint, theirs, tmp_path):
    kind, name = checkpoint
    wanted = theirs[f"{kind}-sampled"]
    if kind in PICTURES:  # mteb's wrappers see pictures; a clip is the mean of its frames
        wanted = (wanted / np.linalg.norm(wanted, axis=1, keepdims=True)).mean(0, keepdims=True)
    assert least_cosine(read_video(name, tmp_path / "mteb"), wanted) >= LEAST
    usual = read_usual(name, tmp_path / "usual")
    assert least_cosine(usual, wanted) < LEAST


def read_usual(name: str, out: Path) -> np.ndarray:
    report = encode_videos([VIDEO], out=out, model=name.removesuffix(",recipe=mteb"))
    return np.asarray(open_clips(report.written[0]).rows(0), np.float32)


def test_pe_av_of_all_frames_is_sampled_by_the_rate_of_mteb(theirs, tmp_path):
    folder = tmp_path / "pe_av"
    save("pe_av", folder)
    settings = folder / "video_preprocessor_config.json"
    settings.write_text(settings.read_text().replace('"num_frames": 4', '"num_frames": null'))
    ours = read_video(f"pe-av:{folder},precision=float32,recipe=mteb", tmp_path / "out")
    assert least_cosine(ours, theirs["pe_av-rated"]) >= LEAST


@pytest.mark.parametrize("kind", ["clip", "pe_av", "qwen3_vl", "xclip"])
def test_another_recipe_is_refused(kind, tmp_path):
    save(kind, tmp_path / kind)
    family = "two-tower" if kind in PICTURES else FAMILIES.get(kind, kind)
    with pytest.raises(ValueError, match="the recipe is one of"):
        load_encoder(f"{family}:{tmp_path / kind},recipe=mtbe")


def test_the_recipe_of_qwen_decides_how_frames_are_marked(tmp_path):
    save("qwen3_vl", tmp_path / "qwen3_vl")
    name = f"qwen3-vl-embedding:{tmp_path / 'qwen3_vl'},recipe=mteb"
    with pytest.raises(ValueError, match="decides layout and frames"):
        load_encoder(f"{name},layout=wrapped")
    encoder = load_encoder(name)
    assert encoder.text_readout.prompt == "Find the video clip that matches the given caption."
    assert encoder.video_readout.prompt == (
        "Represent the user's input. (wrapped, 24ths of a second)"
    )
