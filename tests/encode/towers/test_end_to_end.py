"""Real clips through a tiny random configuration of every family: index, search, encode."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import moviola
from moviola.core import Text
from moviola.pipeline.encode.encode import encode_captions, encode_videos
from moviola.score import cosine
from moviola.store import open_clips, open_texts

pytestmark = pytest.mark.shared

FAMILIES = (
    "xclip",
    "clip",
    "siglip",
    "metaclip_2",
    "videoprism",
    "pe-video",
    "pe-av",
    "pe-av,sound=1",
    "sentence-transformer",
)


@pytest.fixture(scope="module")
def clips(shared_data, tmp_path_factory) -> Path:
    """A folder of real clips: of a car, a bird, a skateboarder and others, some with sound."""
    folder = tmp_path_factory.mktemp("clips")
    for number, path in enumerate(sorted((shared_data / "videos/video_llama").glob("*.mp4"))):
        shutil.copyfile(path, folder / f"{number}.mp4")
    return folder


@pytest.fixture
def model(request, make_checkpoint, monkeypatch, tmp_path):
    """The name by which a user gives the tiny checkpoint of a family."""
    family, _, options = request.param.partition(",")
    options = options and f",{options}"
    if family == "sentence-transformer":
        pytest.importorskip("sentence_transformers")
        folder = request.getfixturevalue("videoprism_folder")
        shutil.copyfile(Path(__file__).parent / "video_module.py", tmp_path / "video_module.py")
        monkeypatch.setenv("TINY_FOLDER", str(folder))
        monkeypatch.chdir(tmp_path)
        return "video_module:load"
    if family in ("videoprism", "pe-av", "pe-video"):
        folder = request.getfixturevalue(f"{family.replace('-', '_')}_folder")
        return (
            f"{family.replace('video', 'av') if family == 'pe-video' else family}:{folder}{options}"
        )
    name = "xclip" if family == "xclip" else "two-tower"
    return f"{name}:{make_checkpoint(family)}"


@pytest.mark.parametrize("model", FAMILIES, indirect=True)
def test_a_folder_is_indexed_searched_and_encoded(model, clips, tmp_path, capfd):
    library = tmp_path / "clips.library"
    report = moviola.index([clips], library=library, model=model, segment="windows:4/4")
    assert (report.ok, report.failed, report.partial) == (len(list(clips.iterdir())), 0, 0)
    moments = moviola.search("a red square moves left", library=library, top=3)
    # Of videos that look alike to a random model, one is shown.
    assert sum(1 + len(moment.duplicates) for moment in moments) >= 3
    # The best moment of its video is where the encoder itself says.
    encode_videos([moments[0].path], out=tmp_path / "v", model=model, segment="windows:4/4")
    encode_captions([Text("q", "a red square moves left")], out=tmp_path / "t", model=model)
    videos, texts = open_clips(tmp_path / "v"), open_texts(tmp_path / "t")
    scores = cosine(texts, videos).block(slice(0, 1))[0]
    assert moments[0].score == pytest.approx(float(scores.max()), abs=1e-3)
    best = videos.items[int(scores.argmax())]
    assert moments[0].start <= best.span.middle < moments[0].end
    # A second run decodes nothing.
    again = moviola.index([clips], library=library, model=model, segment="windows:4/4")
    assert (again.ok, again.skipped) == (0, report.ok)
    assert not capfd.readouterr().out  # where commands print data, and libraries must not
