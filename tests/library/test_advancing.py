"""A reader that advances sees what was committed, and never a half of it."""

from __future__ import annotations

import threading

from moviola.library import Library
from moviola.library.committed import StateReader


def test_advancing_shows_what_was_committed(shelf):
    reader = Library.open(shelf.library.path)
    assert reader.generation == ""
    assert reader.advance()
    empty = reader.generation
    assert len(reader.snapshot().records) == 0
    shelf.put("a.mp4")
    shelf.index()
    before = reader.snapshot()
    assert reader.advance()
    assert len(before.records) == 0  # whoever holds the state before keeps it whole
    assert len(reader.snapshot().records) == len(reader.videos()) == 1
    assert reader.generation != empty
    assert not reader.advance()


def test_who_searches_meanwhile_does_not_wait(shelf, monkeypatch):
    shelf.put("a.mp4")
    shelf.index()
    reader = Library.open(shelf.library.path)
    reader.advance()
    shelf.put("b.mp4")
    shelf.index()
    loading, go_on = threading.Event(), threading.Event()
    read = StateReader._read_snapshot

    def slowly(self, records):
        loading.set()
        assert go_on.wait(30)
        return read(self, records)

    monkeypatch.setattr(StateReader, "_read_snapshot", slowly)
    thread = threading.Thread(target=reader.advance)
    thread.start()
    assert loading.wait(30)
    assert len(reader.snapshot().records) == len(reader.videos()) == 1
    go_on.set()
    thread.join()
    assert len(reader.snapshot().records) == len(reader.videos()) == 2


def test_clips_are_found_by_their_ids(shelf):
    for number in range(5):
        shelf.put(f"{number}.mp4")
    shelf.index()
    snapshot = shelf.library.snapshot()
    for row, clip in enumerate(snapshot.clips):
        assert snapshot.row_of(bytes(clip).decode()) == row
    known = [bytes(clip).decode() for clip in snapshot.clips[::-1]]
    asked = [known[0], "", *known, "f" * 40, known[0] + "\0"]
    rows = list(range(len(known)))[::-1]
    assert snapshot.rows_of(asked).tolist() == [rows[0], -1, *rows, -1, -1]
    for place, record in enumerate(snapshot.records):
        assert snapshot.place_of(record.id) == place
        assert snapshot.owner_of(snapshot.video(place).start) == place
    for unknown in ("", "0", "f" * 32, "z", "é"):
        assert snapshot.row_of(unknown) is None
        assert snapshot.place_of(unknown) is None
