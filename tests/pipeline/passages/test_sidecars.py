"""Files of timed text beside a video: which are found, and how safely they are opened."""

from __future__ import annotations

import os

import pytest

from moviola.pipeline.passages import sidecars
from moviola.pipeline.passages.sidecars import SidecarFinder, read_sidecars


@pytest.fixture
def folder(tmp_path):
    for name in (
        *("film.mp4", "film.srt", "film.de.srt", "film.pt-BR.forced.vtt", "film.ASS"),
        *("film2.srt", "filmed.srt", "other.srt", "film.txt", ".film.srt"),
    ):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_files_that_bear_the_name_are_found(folder):
    found = SidecarFinder().find(folder / "film.mp4")
    assert [(each.path.name, each.language) for each in found] == [
        ("film.ASS", None),
        ("film.de.srt", "de"),
        ("film.pt-BR.forced.vtt", "pt-BR.forced"),
        ("film.srt", None),
    ]
    files, notes = read_sidecars(found)
    assert [file.data.decode() for file in files] == [file.name for file in files]
    assert notes == []
    assert SidecarFinder().find(folder / "nothing" / "film.mp4") == []


def test_links_pipes_and_folders_are_left_out_and_told(folder):
    secret = folder.parent / "secret.srt"
    secret.write_text("secret")
    (folder / "film.en.srt").symlink_to(secret)
    os.mkfifo(folder / "film.fr.srt")
    (folder / "film.it.srt").mkdir()
    (folder / "film.nl.srt").symlink_to(folder / "nowhere")
    files, notes = read_sidecars(SidecarFinder().find(folder / "film.mp4"))
    assert {file.name for file in files} == {
        *("film.ASS", "film.de.srt", "film.pt-BR.forced.vtt", "film.srt"),
    }
    assert [note.split()[0] for note in notes] == [
        *("film.en.srt", "film.fr.srt", "film.it.srt", "film.nl.srt"),
    ]
    secret.unlink()


def test_a_file_that_is_too_large_is_left_out(folder, monkeypatch):
    monkeypatch.setattr(sidecars, "MOST_BYTES", 8)
    files, notes = read_sidecars(SidecarFinder().find(folder / "film.mp4"))
    assert [file.name for file in files] == ["film.ASS", "film.srt"]
    assert len(notes) == 2


def test_news_of_a_file_change_its_state(folder):
    before = SidecarFinder().find(folder / "film.mp4")
    (folder / "film.srt").write_text("something else")
    after = SidecarFinder().find(folder / "film.mp4")
    changed = [one.path.name for one, other in zip(before, after, strict=True) if one != other]
    assert changed == ["film.srt"]
