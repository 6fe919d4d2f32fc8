"""Forgetting through the command line, and what it leaves behind."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.cli.console import readable_bytes
from moviola.library import CACHE, Library
from moviola.pipeline.forget.forget import collect_garbage, forget
from moviola.pipeline.media.sprites import SpriteCache


@pytest.fixture
def stocked(shelf):
    for number in range(24):
        shelf.put(f"many/{number:02d}.mp4")
    shelf.put("a.mp4")
    shelf.index()
    return shelf


def moviola(shelf, *words: str, code: int = 0):
    result = CliRunner().invoke(app, [*words, "--library", str(shelf.library.path)])
    if code == 0:
        assert result.exit_code == 0, (result.output, result.exception)
    else:
        assert result.exit_code != 0 or result.exception
    return result


def shown(shelf) -> int:
    return Library.open(shelf.library.path).status().names


def test_a_file_is_forgotten_and_brought_back(stocked):
    result = moviola(stocked, "forget", str(stocked.folder / "a.mp4"))
    assert "forgot 1 file" in result.output
    assert "1 of them is still there" in result.output
    assert shown(stocked) == 24
    assert "brought back 1 file" in moviola(stocked, "forget", "--undo").output
    assert shown(stocked) == 25
    assert "nothing to bring back" in moviola(stocked, "forget", "--undo").output


def test_more_than_twenty_go_only_after_a_yes(stocked):
    many = str(stocked.folder / "many")
    refused = moviola(stocked, "forget", many, code=2)
    assert isinstance(refused.exception, ValueError)
    assert "24 files would be forgotten; say --yes" in str(refused.exception)
    assert shown(stocked) == 25
    answer = moviola(stocked, "forget", many, "--yes", "--json")
    assert len(json.loads(answer.output)["forgotten"]) == 24
    assert shown(stocked) == 1
    stocked.library.refresh()
    assert stocked.library.roots() == [stocked.folder]
    moviola(stocked, "forget", "--undo", many)
    assert shown(stocked) == 25


def test_what_is_missing_is_forgotten_whether_it_was_marked_or_not(stocked):
    for number in range(3):
        (stocked.folder / f"many/{number:02d}.mp4").unlink()
    stocked.index()
    (stocked.folder / "a.mp4").unlink()  # not marked yet
    result = moviola(stocked, "forget", "--missing", "--json")
    assert len(json.loads(result.output)["forgotten"]) == 4
    assert json.loads(result.output)["present"] == []
    assert shown(stocked) == 21
    assert "nothing is missing" in moviola(stocked, "forget", "--missing").output


def test_a_folder_that_is_not_there_is_left_alone_until_it_is_named(stocked, tmp_path):
    stocked.folder.rename(tmp_path / "elsewhere")
    result = moviola(stocked, "forget", "--missing")
    assert "nothing in it was forgotten" in result.output
    assert shown(stocked) == 25
    moviola(stocked, "forget", str(stocked.folder), "--yes")
    assert shown(stocked) == 0
    assert Library.open(stocked.library.path).roots() == []


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["forget"], "say what to forget"),
        (["forget", "--undo", "--missing"], "one of them"),
        (["forget", "/nowhere/at/all.mp4"], "knows no file"),
    ],
)
def test_nonsense_is_refused(stocked, words, why):
    assert why in str(moviola(stocked, *words, code=2).exception)


def test_garbage_is_collected_with_its_pictures(stocked):
    library = Library.open(stocked.library.path)
    record = next(r for r in library.videos() if r.path.name == "a.mp4")
    sprites = SpriteCache(library.path)
    sprites.keep(record.id, "clip", b"picture")
    (library.path / CACHE / "previews").mkdir()
    forget(library, [stocked.folder / "a.mp4"])
    assert sprites.read(record.id, "clip") == b"picture"  # it may still be brought back
    collected = collect_garbage(library)
    assert collected.names == 1
    assert sprites.read(record.id, "clip") is None
    assert not (library.path / CACHE / "previews").exists()
    assert library._reader.tables.clips.count_rows() == 48
    assert "nothing to bring back" in moviola(stocked, "forget", "--undo").output
    assert library.verify() == []


def test_the_status_lists_folders_and_a_size_for_people(stocked):
    output = moviola(stocked, "status").output
    assert f"indexed    {stocked.folder}" in output
    assert " kB" in output
    facts = json.loads(moviola(stocked, "status", "--json").output)
    assert facts["roots"] == [str(stocked.folder)]
    assert facts["bytes"] > 1000


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (99_940, "99.9 kB"),
        (123_456, "123 kB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (1_440_000_000, "1.4 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)  # fmt: skip
def test_sizes_are_readable(count, text):
    assert readable_bytes(count) == text


def test_nothing_is_collected_while_a_root_is_missing(stocked):
    """A disk that is not connected takes nothing with it, whatever is run meanwhile."""
    before = Library.open(stocked.library.path).videos()
    stocked.folder.rename(stocked.folder.with_name("elsewhere"))
    moviola(stocked, "forget", "--missing", "--yes")
    stocked.index()
    library = Library.open(stocked.library.path)
    assert collect_garbage(library).names == 0
    moviola(stocked, "gc")
    stocked.folder.with_name("elsewhere").rename(stocked.folder)
    library.refresh()
    assert library.videos() == before
    assert stocked.index().decode == ()
    assert library.verify(deep=True) == []
