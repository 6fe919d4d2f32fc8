"""What is acknowledged was synced before: clips, then their marker, then the acknowledgement."""

from __future__ import annotations

import os
from pathlib import Path

from moviola.library import scan
from moviola.library.storage.durability import NewFiles
from moviola.library.storage.seals import SEALS_NAME


def test_every_new_file_is_synced_once_and_its_folder_after_it(tmp_path, monkeypatch):
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(name_of(handle)))
    (tmp_path / "old").write_text("old")
    files = NewFiles(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "new").write_text("new")
    files.sync()
    assert synced == [tmp_path / "deep" / "new", tmp_path / "deep"]
    files.sync()
    assert len(synced) == 2
    (tmp_path / "again").write_text("other bytes under an old name")
    (tmp_path / "again").replace(tmp_path / "old")
    files.sync()
    assert synced[2:] == [tmp_path / "old", tmp_path]


def test_clips_are_durable_before_their_marker_and_both_before_the_news(shelf, monkeypatch):
    shelf.put("a.mp4")
    events: list[str] = []
    with shelf.library.writer(on_commit=lambda _: events.append("told")) as writer:
        (video,) = writer.plan(scan([shelf.folder], frozenset({".mp4"}))).decode
        shelf.encode(writer, video)
        monkeypatch.setattr(os, "fsync", lambda handle: events.append(table_of(name_of(handle))))
        writer.commit()
        monkeypatch.undo()
    order = [event for place, event in enumerate(events) if event not in events[:place]]
    assert order == ["clips.lance", "videos.lance", SEALS_NAME, "told"]


def name_of(handle: int) -> Path:
    return Path(f"/proc/self/fd/{handle}").readlink()


def table_of(path: Path) -> str:
    """Name the table that a file belongs to, or the file of seals; their folder with them."""
    tables = [part for part in path.parts if part.endswith(".lance")]
    return tables[0] if tables else SEALS_NAME
