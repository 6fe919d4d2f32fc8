"""The command line: what it prints where, and with which code it leaves."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

MOVIOLA = [sys.executable, "-W", "error", "-m", "moviola"]
ECHO = "moviola.testing:EchoEncoder"
RED, GREEN = (220, 20, 20), (20, 200, 20)


def moviola(*words: object, where: Path | None = None, **environment: str):
    return subprocess.run(
        [*MOVIOLA, *map(str, words)],
        cwd=where,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def indexed(tmp_path_factory, colour_video):
    place = tmp_path_factory.mktemp("cli")
    (place / "videos").mkdir()
    colour_video(place / "videos" / "red.mp4", RED, seconds=2)
    colour_video(place / "videos" / "-green.mp4", GREEN, seconds=2)
    (place / "videos" / "broken.mp4").write_text("no video")
    done = moviola("index", "videos", "--library", "lib", "--model", ECHO, "--json", where=place)
    return place, done


def test_index_prints_counts_that_add_up_and_leaves_with_3_when_files_failed(indexed):
    _, done = indexed
    assert done.returncode == 3
    found = json.loads(done.stdout)
    counts = {"ok": 2, "partial": 0, "failed": 1, "skipped": 0, "clips": 2}
    assert {name: found[name] for name in counts} == counts
    names = {"videos": 2, "passages": 2, "partial": 0, "failed": 0}
    assert found["channels"] == {"names": names, "subtitles": names | {"passages": 0}}
    (line,) = done.stderr.splitlines()
    assert "broken.mp4: unsupported_container: " in line


def test_index_without_failures_leaves_with_0(indexed):
    place, _ = indexed
    done = moviola("index", "videos/red.mp4", "--library", "lib", where=place)
    assert done.returncode == 0
    assert done.stdout.startswith("1 inputs: 0 ok, 0 partial, 0 failed, 1 skipped; 1 clips in ")


def test_search_as_json(indexed):
    place, _ = indexed
    done = moviola("search", "green", "--library", "lib", "--json", where=place)
    assert done.returncode == 0
    first, *_ = json.loads(done.stdout)
    told = {"video", "path", "clip", "start", "end", "peak", "score", "band", "probability"}
    assert set(first) == told | {"why"}
    assert [reason["channel"] for reason in first["why"]] == ["names", "seen"]
    assert first["why"][0]["words"] == [{"text": "green", "first": 1, "last": 6}]
    assert first["path"] == str(place / "videos" / "-green.mp4")
    assert 0 <= first["start"] <= first["peak"] <= first["end"] <= 2
    assert first["band"] in ("strong", "likely", "unsure")


def test_search_as_a_table(indexed):
    place, _ = indexed
    done = moviola("search", "red", "--library", "lib", "--top", "1", where=place)
    head, row, why = done.stdout.splitlines()
    assert head.split() == ["band", "chance", "score", "start", "end", "peak", "video"]
    assert row.endswith("red.mp4")
    assert why.split() == ["names", "0:00.0:", "red"]


def test_status_and_failures(indexed):
    place, _ = indexed
    status = json.loads(moviola("status", "--library", "lib", "--json", where=place).stdout)
    assert status["videos"] == {"ok": 2, "unsupported_container": 1}
    assert (status["clips"], status["segment"]) == (2, "windows:6/3")
    failed = json.loads(moviola("failures", "--library", "lib", "--json", where=place).stdout)
    assert [(Path(f["path"]).name, f["code"]) for f in failed] == [
        ("broken.mp4", "unsupported_container")
    ]
    again = moviola("failures", "--library", "lib", "--retry", "--json", where=place)
    assert again.returncode == 3
    assert json.loads(again.stdout)["failed"] == 1


def test_the_library_can_come_from_the_environment(indexed):
    place, _ = indexed
    done = moviola("status", "--json", where=place, MOVIOLA_LIBRARY="lib")
    assert json.loads(done.stdout)["clips"] == 2


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("search", "", "--library", "lib"), 2, "empty"),
        (("search", "red", "--library", "nowhere"), 2, "moviola index"),
        (("index", "nowhere", "--library", "lib"), 2, "nothing at"),
        (("index", "videos", "--library", "lib", "--segment", "often"), 2, "windows:LENGTH/STEP"),
        (("index", "videos", "--library", "lib", "--segment", "whole"), 4, "--segment windows:6/3"),
        (("index", "videos", "--library", "new", "--model", "ecko"), 2, "Installed: "),
        (("index", "videos", "--library", "videos", "--model", ECHO), 2, "other things"),
        (("index", "--library", "new"), 2, "name a folder"),
        (("search", "red", "--library", "lib", "--top", "0"), 2, "--top"),
        (("encode", "videos", "--out", "e", "--model", ECHO, "--pool", "best"), 2, "pooling"),
    ],
)
def test_a_mistake_gets_one_line_and_its_code(indexed, words, code, says):
    place, _ = indexed
    done = moviola(*words, where=place)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert says in line
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(indexed):
    place, _ = indexed
    done = moviola("--debug", "search", "", "--library", "lib", where=place)
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_another_model_of_the_same_dimension_is_refused(indexed):
    place, _ = indexed
    card = place / "lib" / "library.json"
    kept = card.read_text()
    try:
        card.write_text(kept.replace('"revision": "', '"revision": "x'))
        done = moviola("search", "red", "--library", "lib", where=place)
    finally:
        card.write_text(kept)
    assert done.returncode == 4
    assert "revision" in done.stderr


def test_a_damaged_library_leaves_with_6(indexed):
    place, _ = indexed
    card = place / "lib" / "library.json"
    kept = card.read_text()
    try:
        card.write_text("{")
        done = moviola("search", "red", "--library", "lib", where=place)
    finally:
        card.write_text(kept)
    assert done.returncode == 6


def test_a_second_writer_leaves_with_5_and_names_the_first(indexed):
    from moviola.library import Library

    place, _ = indexed
    with Library.open(place / "lib").writer():
        began = time.monotonic()
        done = moviola("index", "videos", "--library", "lib", where=place)
        assert time.monotonic() - began < 20
    assert done.returncode == 5
    assert str(os.getpid()) in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_keeps_what_it_has(tmp_path, colour_video, number):
    (tmp_path / "videos").mkdir()
    for shade in range(4):
        colour_video(tmp_path / "videos" / f"{shade}.mp4", (shade * 60, 0, 0), seconds=20)
    (tmp_path / "slow.py").write_text(
        "import time\n"
        "from moviola.testing import EchoEncoder\n"
        "class Slow(EchoEncoder):\n"
        "    def encode_videos(self, clips):\n"
        "        open('begun', 'w').close()\n"
        "        time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [*MOVIOLA, "index", "videos", "--library", "lib", "--model", "slow:Slow"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    for _ in range(600):
        if (tmp_path / "begun").exists():
            break
        time.sleep(0.1)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130, told
    assert told.splitlines() == ["interrupted: what was committed is kept; run again to go on"]


def test_help_is_quick_and_names_every_command():
    # Processor seconds, not the clock's: other tests may run beside this one.
    spent = []
    for _ in range(3):
        before = os.times()
        done = moviola("--help")
        after = os.times()
        spent.append(sum(after[2:4]) - sum(before[2:4]))
    assert done.returncode == 0
    for command in ("demo", "index", "search", "status", "failures", "encode", "models", "doctor"):
        assert re.search(rf"\b{command}\b", done.stdout)
    assert min(spent) < 0.3


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['moviola', '--help']\n"
        "from moviola.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'numpy', 'lancedb', 'pyarrow', 'av'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_version_names_what_a_bug_report_needs():
    done = moviola("--version")
    assert re.search(r"ffmpeg \d+\.\d+", done.stdout)
    assert "torch" in done.stdout


def test_models_lists_every_encoder_with_its_facts():
    listed = {entry["name"]: entry for entry in json.loads(moviola("models", "--json").stdout)}
    assert listed["shapes"]["dimension"] == 257
    clip = listed["clip-base-patch32"]
    assert (clip["dimension"], clip["parameters"], clip["licence"]) == (512, 151277313, "MIT")
    assert clip["reported"][0]["value"] == 31.1
    assert clip["reported"][0]["source"]
    assert [name for name, entry in listed.items() if entry["default"]] == ["videoprism-base"]
    table = moviola("models").stdout
    assert "videoprism-base (default)" in table
    assert "t2v R@1 31.1 (github.com/foolwood/DRL" in table


def test_models_are_listed_without_torch():
    code = (
        "import sys\nfrom moviola.cli.models import app\n"
        "app(['--json'], standalone_mode=False)\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_weights_that_cannot_be_had_leave_with_7_within_15_seconds(indexed, tmp_path):
    place, _ = indexed
    began = time.monotonic()
    for words in (
        ("index", "videos", "--library", "new"),
        ("encode", "videos", "--out", "new"),
        ("models", "pull", "xclip-base-patch32"),
    ):
        done = moviola(*words, where=place, HF_HOME=str(tmp_path), HF_HUB_OFFLINE="1")
        *said, line = done.stderr.splitlines()
        assert len(said) == (words[0] == "models")  # what would have been fetched
        assert done.returncode == 7
        assert str(tmp_path) in line
        assert "Ways out" in line
        assert not (place / "new").exists()
    assert time.monotonic() - began < 3 * 15


def test_pulling_says_first_what_how_much_and_under_which_licences(tmp_path):
    environment = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    done = moviola("models", "pull", "video-llama-2-7b", **environment)
    branches, blip2, refused = done.stderr.splitlines()
    assert "about 18.9 GB of DAMO-NLP-SG/Video-LLaMA-2-7B-Finetuned" in branches
    assert "CC-BY-NC-SA-4.0" in branches
    assert "Llama 2 community licence" in branches
    assert "about 10.0 GB of Salesforce/blip2-flan-t5-xxl (MIT)" in blip2
    assert "are not in the cache" in refused
    done = moviola("models", "pull", "video-llama:some/branch", **environment)
    assert "fetching some/branch (its licence is on its page)" in done.stderr


def test_pulling_what_has_no_weights_is_told():
    done = moviola("models", "pull", "shapes")
    assert done.returncode == 2
    assert "no weights to fetch; these have: clip-base-patch16" in done.stderr
