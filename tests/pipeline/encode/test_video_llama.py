"""Real clips through a tiny Video-LLaMA, from files to stores, a library and a sweep."""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file

from moviola.core import Text
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.pipeline.index.index import index
from moviola.pipeline.search.search import search
from moviola.store import open_clips, open_texts

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def model(shared_data):
    return f"video-llama:{shared_data / 'videollama_golden'}"


@pytest.fixture(scope="module")
def clips(shared_data):
    return shared_data / "videos" / "video_llama"


def test_real_clips_with_their_sound_at_all_layers(model, clips, tmp_path):
    report = encode_videos(
        [clips],
        out=tmp_path / "out",
        model=f"{model},audio=beside",
        readouts=("report-before-llama", "report-after-llama"),
        layers="all",
        poolings=("none", "mean"),
    )
    videos = sum(path.suffix == ".mp4" for path in clips.iterdir())
    assert (report.items, report.failures) == (videos, ())
    assert len(report.written) == 2 * 4 * 2
    out = tmp_path / "out"
    before = open_clips(out / "report-before-llama/layer-00/none")
    assert np.diff(before.offsets).tolist() == [5 + 3] * videos
    assert "sound:16000" in before.readout.sampling
    after = open_clips(out / "report-after-llama/layer-03/none")
    assert (np.diff(after.offsets) > 40).all()  # the prompt is there, and tells the times
    means = open_clips(out / "report-after-llama/layer-03/mean")
    for row in range(videos):
        wanted = after.rows(row).astype(np.float32).mean(axis=0)
        np.testing.assert_allclose(means.rows(row)[0], wanted, atol=4e-3)


def test_the_reports_file_is_written_as_the_report_wrote_it(model, shared_data, tmp_path):
    golden = load_file(shared_data / "videollama_golden" / "tensors.safetensors")
    (tmp_path / "video0.mp4").write_bytes(golden["preprocess.mp4_bytes"].tobytes())
    encode_videos(
        [tmp_path / "video0.mp4"],
        out=tmp_path / "out",
        model=model,
        readouts=("report-before-llama",),
        poolings=("none",),
        layout="npy",
    )
    saved = np.load(tmp_path / "out" / "video0.npy")
    assert saved.dtype == np.float16
    np.testing.assert_allclose(saved, golden["fork.before_llama"], atol=2e-3)


def test_the_words_around_a_video_tell_the_times_of_its_frames(model, shared_data, tmp_path):
    golden = load_file(shared_data / "videollama_golden" / "tensors.safetensors")
    (tmp_path / "video0.mp4").write_bytes(golden["preprocess.mp4_bytes"].tobytes())
    encode_videos(
        [tmp_path / "video0.mp4"],
        out=tmp_path / "out",
        model=model,
        readouts=("report-after-llama",),
        poolings=("none",),
        dtype="float32",
    )
    stored = open_clips(tmp_path / "out")
    np.testing.assert_allclose(stored.rows(0), golden["fork.after_llama"], atol=1e-4)


def test_captions_and_videos_of_one_model_share_a_space(model, clips, tmp_path):
    encode_captions(
        [Text("a", "a dog"), Text("b", "two birds on a branch")], out=tmp_path / "t", model=model
    )
    encode_videos([next(clips.glob("*.mp4"))], out=tmp_path / "v", model=model)
    texts, videos = open_texts(tmp_path / "t"), open_clips(tmp_path / "v")
    assert texts.space == videos.space
    assert texts.readout.pooling == "position_weighted_mean"


def test_a_library_of_real_clips_is_searched(model, clips, tmp_path):
    place = tmp_path / "library"
    report = index([clips], library=place, model=f"{model},readout=one-word,layers=2")
    assert report.failed == 0
    assert len(search("a dog", library=place, top=3)) == 3
