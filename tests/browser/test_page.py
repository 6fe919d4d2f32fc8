"""The search page, in a browser, against a running server."""

from __future__ import annotations

import base64
import io
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import moviola
from moviola.serve.indexing.process import DEMO_VIDEOS
from moviola.video import read_frames_at

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
FREE_BOX = b"\0\0\0\x08free"


@pytest.mark.parametrize(
    "scenario", ["search", "play", "filters", "address", "keyboard", "sprites", "indexing"]
)
def test_over_a_generated_world(look, world_server, question, scenario):
    look(scenario, world_server, question=question)


def test_searching_never_waits_behind_pictures(look, world, serving, tmp_path):
    """Sixty cards a search, none of their pictures made before, and the next search comes."""
    library, videos = tmp_path / "library", tmp_path / "videos"
    videos.mkdir()
    for path in (world / "videos").glob("*.mp4"):
        for copy in range(3):  # the same pictures, in another file
            (videos / f"{path.stem} {copy}.mp4").write_bytes(path.read_bytes() + FREE_BOX * copy)
    moviola.index([videos], library=library, model="shapes", segment="whole")
    colours, shapes = ("red", "blue", "green", "yellow", "white"), ("circle", "square", "triangle")
    texts = [f"a {size} {c} {s}" for size in ("small", "large") for c in colours for s in shapes]
    runs = []
    for _ in range(3):  # other processes may hold a run up; then another one is measured
        shutil.rmtree(library / "cache")
        with serving(library) as server:
            found = json.loads(look("pictures", server, texts=texts, pause=150, cards=60))
        assert found["asked"] > 20
        runs.append(float(np.quantile(found["searches"][2:], 0.95)))
        if runs[-1] < 200:
            break
    assert min(runs) < 200, runs


def test_pure_functions():
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", HERE / "modules.test.mjs"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_favourites_and_exports(look, world_library, serving, question):
    with serving(world_library) as server:
        look("favourites", server, question=question)


def test_more_like_this_and_pictures(look, world, world_server, question, tmp_path):
    from PIL import Image

    video, other = sorted((world / "videos").glob("*.mp4"))[:2]
    frame = read_frames_at(video, [0.5]).pixels[0]
    picture = io.BytesIO()
    Image.fromarray(frame).save(picture, "PNG")
    garbage = tmp_path / "no picture.png"
    garbage.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 64)
    look(
        "like",
        world_server,
        question=question,
        image=base64.b64encode(picture.getvalue()).decode(),
        imageOf=video.name,
        clip=str(other),
        clipOf=other.name,
        garbage=str(garbage),
    )


def test_failures_are_listed_with_reasons_and_tried_again(look, world_library, serving):
    with serving(world_library) as server:
        failures = server.get("/api/failures")["failures"]
        look(
            "failures",
            server,
            failed=3,
            codes=sorted({failure["code"] for failure in failures}),
            names=["cut short.mp4", "empty.mp4", "page.mp4"],
        )


def test_both_themes_a_phone_and_accessibility(look, world_server, question):
    look("looks", world_server, question=question, seconds=500)


def test_first_run_and_indexing(look, serving, tmp_path):
    with serving(tmp_path / "new library") as server:
        look("first-run", server, videos=DEMO_VIDEOS, seconds=400)
    assert not (tmp_path / "new library").exists()  # the demo's is another


def test_forgetting_and_undo(look, serving, world, tmp_path):
    folder, library = tmp_path / "videos", tmp_path / "library"
    folder.mkdir()
    for video in sorted((world / "videos").glob("*.mp4"))[:5]:
        (folder / video.name).write_bytes(video.read_bytes())
    moviola.index(folder, library=library, model="shapes", segment="whole")
    min(folder.iterdir()).unlink()
    with serving(library) as server:
        look("forgetting", server, query="a shape")


def test_results_appear_while_another_process_indexes(look, serving, world, tmp_path):
    videos = sorted((world / "videos").glob("*.mp4"))
    folder, library, go = tmp_path / "videos", tmp_path / "live", tmp_path / "go"
    folder.mkdir()
    for video in videos[:6]:
        (folder / video.name).hardlink_to(video)
    moviola.index([folder], library=library, model="shapes")
    for video in videos[6:16]:
        (folder / video.name).hardlink_to(video)

    def index() -> None:
        _wait_for(go)
        command = [sys.executable, "-m", "moviola", "index", folder, "--library", library]
        subprocess.run(command, check=True, capture_output=True)

    with serving(library) as server:
        thread = threading.Thread(target=index)
        thread.start()
        look("live", server, go=str(go), after=16)
        thread.join(60)


def test_a_server_that_ends_and_comes_back(look, serving, world_library, tmp_path):
    stop, start, started = (tmp_path / name for name in ("stop", "start", "started"))
    with serving(world_library) as server:
        port = int(server.address.rsplit(":", 1)[1])
        outcome: list[BaseException] = []

        def run() -> None:
            try:
                look("gone", server, stop=str(stop), start=str(start), started=str(started))
            except BaseException as error:  # noqa: BLE001 -- raised again by the test
                outcome.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        _wait_for(stop)
    _wait_for(start)
    with serving(world_library, port=port):
        started.touch()
        thread.join(120)
    if outcome:
        raise outcome[0]


def test_a_missing_file(look, serving, world, tmp_path):
    folder, library = tmp_path / "videos", tmp_path / "missing"
    folder.mkdir()
    for video in sorted((world / "videos").glob("*.mp4"))[:3]:
        (folder / video.name).write_bytes(video.read_bytes())
    moviola.index([folder], library=library, model="shapes")
    gone = min(folder.iterdir())
    gone.unlink()
    moviola.index([folder], library=library)
    with serving(library) as server:
        look("missing", server, query="red")


def test_another_model_than_the_one_that_indexed(look, serving, world, tmp_path):
    library = tmp_path / "mismatch"
    moviola.index([min((world / "videos").glob("*.mp4"))], library=library, model="shapes")
    card = library / "library.json"
    facts = json.loads(card.read_text("utf-8"))
    facts["space"]["weights"] = "0" * 32
    card.write_text(json.dumps(facts), "utf-8")
    with serving(library) as server:
        look("mismatch", server, words=["weights"])


@pytest.mark.shared
def test_previews_of_what_browsers_cannot_play(look, serving, shared_data, tmp_path):
    videos, folder = shared_data / "videos", tmp_path / "videos"
    folder.mkdir()
    wanted = {
        "h265_video.mp4": ("torchcodec", "hevc", "hevc"),
        "sample.avi": ("androidx_media", "mpeg4", "avi"),
        "h265_10bits.mp4": ("torchcodec", "hevc", "hevc-10-bit"),
    }
    files = []
    for name, (source, codec, shot) in wanted.items():
        (folder / name).write_bytes((videos / source / name).read_bytes())
        files.append({"name": name, "codec": codec, "shotName": shot})
    library = tmp_path / "codecs"
    moviola.index([folder], library=library, model="shapes")
    with serving(library) as server:
        look("previews", server, files=files)


def _wait_for(flag: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not flag.exists():
        if time.monotonic() > end:
            pytest.fail(f"{flag.name} never came")
        time.sleep(0.1)
