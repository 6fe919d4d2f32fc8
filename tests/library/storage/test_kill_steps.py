"""Kills before and after every step of every commit: the next writer finds a sound library."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from moviola.core import Clip, FileCode, Passage, Span, clip_id
from moviola.library import ChannelReading, Library, LibraryCard, scan, version_digest, writer_lock
from moviola.library.storage import migrating, rescuing
from moviola.library.storage.card import SCHEMA
from moviola.library.storage.rescuing import rescue
from moviola.library.storage.seals import SEALS_NAME, Seals
from moviola.library.storage.tables import Tables

SUFFIXES = frozenset({".mp4"})
STEPS = [
    *((Tables, name) for name in ("create", "upsert", "delete", "tidy", "sync", "seal")),
    (Seals, "write"),
    (LibraryCard, "write"),
    (migrating, "back_up"),
    (migrating, "_keep"),
    (migrating, "_remove"),
    (migrating, "sync_folder"),
]


class Killed(BaseException):
    """The process is no more."""


class Killer:
    """Let `left` steps begin or end, then none any more."""

    def __init__(self, left: int) -> None:
        self.left = left

    @property
    def is_dead(self) -> bool:
        return self.left < 0

    def step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed

    def around(self, call: Callable) -> Callable:
        def with_steps(*args, **options):
            self.step()
            result = call(*args, **options)
            self.step()
            return result

        return with_steps


def killed_at_every_step(
    run: Callable[[], object], restart: Callable[[], object], steps=STEPS
) -> Iterator[int]:
    """Do `run` again and again, killed one step later each time; ends when it came through."""
    for number in range(500):
        restart()
        killer = Killer(number)
        with pytest.MonkeyPatch.context() as patch:
            for owner, name in steps:
                real = owner.__dict__[name]
                if isinstance(real, classmethod):
                    patch.setattr(owner, name, classmethod(killer.around(real.__func__)))
                else:
                    patch.setattr(owner, name, killer.around(real))
            with suppress(Killed):
                run()
        if not killer.is_dead:
            return
        yield number
    raise AssertionError("it never came through")


def state(library: Library) -> dict[str, tuple]:
    fresh = Library.open(library.path)
    assert fresh.verify() == []
    snapshot = fresh.snapshot()
    clips = dict(
        zip((record.id for record in snapshot.records), np.diff(snapshot.offsets), strict=True)
    )
    said: dict[str, list[tuple[str, str]]] = {}
    for passage in fresh.passages():
        said.setdefault(passage.video, []).append((passage.channel, passage.text))
    return {
        record.id: (
            record.code,
            sorted(name.path.name for name in record.names),
            clips.get(record.id),
            record.channels,
            said.get(record.id, []),
        )
        for record in fresh.videos()
    }


def reading(video: str, channel: str, *texts: str) -> ChannelReading:
    """What a channel read of a video: one passage a text, a second long."""
    spans = [Span(float(place), place + 1.0) for place in range(len(texts))]
    passages = (
        Passage(video, span, text, channel) for span, text in zip(spans, texts, strict=True)
    )
    return ChannelReading(channel, version_digest(channel, *texts), tuple(passages))


def busy_session(shelf) -> None:
    """Whatever a writer can do, in one go."""
    with shelf.library.writer() as writer:
        plan = writer.plan(scan([shelf.folder], SUFFIXES))
        for video in plan.decode:
            shelf.encode(
                writer,
                video,
                FileCode.CORRUPT if b"bad" in video.path.read_bytes() else None,
                [reading(video.id, "said", "new"), reading(video.id, "kept", "and", "kept")],
            )
        writer.commit()
        for video in sorted(record.id for record in shelf.library.videos() if record.clips):
            writer.add_readings(video, [reading(video, "said", "again"), reading(video, "seen")])
        writer.commit()
        records = writer._batch.records.values()
        again = next(r for r in records if r.names[0].path.name == "again.mp4")
        clips = [Clip(clip_id(again.id, Span(0.0, 2.0)), again.path, Span(0.0, 2.0))]
        writer.add(again, clips, shelf.rows("other", 1))
        writer.commit()
        writer.forget([shelf.folder / "later.mp4"])
        writer.tidy()


@pytest.fixture
def busy(shelf, tmp_path):
    """A library, and a folder in which everything has happened since it was written."""
    for name in ("same", "again", "old", "later", "gone", "forgotten", "worse", "better", "moved"):
        shelf.put(f"{name}.mp4")
    shelf.put("better.mp4", "bad")
    shelf.index(fails=lambda path: FileCode.CORRUPT if path.name == "better.mp4" else None)
    with shelf.library.writer() as writer:
        for video in [record.id for record in shelf.library.videos() if record.clips]:
            writer.add_readings(
                video, [reading(video, "said", "one", "two"), reading(video, "kept", "and", "kept")]
            )
        writer.forget([shelf.folder / "forgotten.mp4"])
    for name in ("gone", "forgotten"):
        (shelf.folder / f"{name}.mp4").unlink()
    shelf.put("old.mp4", "new content")
    shelf.put("worse.mp4", "bad now")
    shelf.put("better.mp4", "good now")
    shelf.put("copy.mp4", "same.mp4")
    shelf.put("new.mp4")
    (shelf.folder / "moved.mp4").rename(shelf.folder / "elsewhere.mp4")
    shutil.copytree(shelf.library.path, tmp_path / "before")
    return shelf


def put_back(shelf, tmp_path) -> None:
    shutil.rmtree(shelf.library.path)
    shutil.copytree(tmp_path / "before", shelf.library.path)
    shelf.library = Library.open(shelf.library.path)


def test_a_kill_at_any_step_leaves_a_library_that_the_next_writer_makes_whole(busy, tmp_path):
    shutil.copytree(busy.library.path, tmp_path / "reference")
    names = {"same.mp4", "moved.mp4", "gone.mp4"}
    kept = {video for video, (_, held, *_) in state(busy.library).items() if names & set(held)}
    read = {video: reading(video, "kept", "and", "kept") for video in kept}
    path = busy.library.path
    busy.library = Library.open(tmp_path / "reference")
    busy_session(busy)
    reference = state(busy.library)
    assert {"later.mp4", "forgotten.mp4"}.isdisjoint(str(reference).split("'"))
    busy.library = Library.open(path)
    kills = 0
    for number in killed_at_every_step(
        lambda: busy_session(busy), lambda: put_back(busy, tmp_path)
    ):
        kills += 1
        seen = state(busy.library)  # readers see whole videos, whatever happened
        assert kept <= seen.keys(), number  # the rest was replaced or forgotten
        for video, whole in read.items():  # of each channel all or nothing, of others everything
            marks, passages = seen[video][3:]
            assert whole.mark(2) in marks, number
            assert [text for channel, text in passages if channel == "kept"] == ["and", "kept"]
            texts = [text for channel, text in passages if channel == "said"]
            assert texts in ([], ["one", "two"], ["again"]), number
            assert ("said" in {mark.channel for mark in marks}) == bool(texts), number
        busy.library = Library.open(path)
        busy_session(busy)  # drops what was half done, and goes on
        assert state(busy.library) == reference, number
    assert kills > 20
    assert len(kept) == 3


def make_old(shelf, schema: int) -> None:
    """Turn the library into what a release of an earlier schema wrote."""
    with shelf.library.writer() as writer:
        for record in shelf.library.videos():
            writer._batch.replace(replace(record, attempts=0 if schema == 1 else record.attempts))
        writer.commit()
        added = ["channels", *(["forgotten", "attempts"] if schema == 1 else [])]
        writer._tables.videos.drop_columns(added)
    shutil.rmtree(shelf.library.path / "passages.lance")
    (shelf.library.path / SEALS_NAME).unlink()
    replace(shelf.library.card, schema=schema).write(shelf.library.path)
    shelf.library = Library.open(shelf.library.path)
    assert shelf.library.card.schema == schema


@pytest.fixture(params=[1, 2])
def old(request, shelf, tmp_path):
    for name in ("a", "b", "c"):
        shelf.put(f"{name}.mp4")
    shelf.index(fails=lambda path: FileCode.TIMEOUT if path.name == "c.mp4" else None)
    make_old(shelf, request.param)
    shutil.copytree(shelf.library.path, tmp_path / "before")
    return shelf


def test_a_library_of_an_earlier_schema_is_read_as_it_is_and_renewed_by_a_writer(old):
    schema, before = old.library.card.schema, state(old.library)
    reader = Library.open(old.library.path)
    assert reader.passages() == []
    assert reader.passage_table().num_rows == 0
    assert {name for _, (name,), *_ in before.values()} == {"a.mp4", "b.mp4", "c.mp4"}
    assert LibraryCard.read(old.library.path).schema == schema  # reading changes nothing
    decoded = len(old.decoded)
    old.index(fails=lambda _: FileCode.TIMEOUT)
    assert len(old.decoded) == decoded + 1  # the timeout, which says nothing of earlier attempts
    assert LibraryCard.read(old.library.path).schema == SCHEMA == old.library.card.schema
    assert state(old.library) == before
    (backup,) = migrating.backups(old.library.path)
    assert backup.name == f"before-schema-{schema}"
    assert state(Library.open(backup)) == before  # a library of its own
    assert Library.open(backup).card.schema == schema
    (video, *_) = [record.id for record in old.library.videos() if record.clips]
    with old.library.writer() as writer:
        writer.add_readings(video, [reading(video, "said", "hello")])
    reader.refresh()  # it was opened before there was a table of passages
    assert [passage.text for passage in reader.passages()] == ["hello"]


def test_a_kill_at_any_step_of_a_migration_loses_nothing(old, tmp_path):
    schema, before = old.library.card.schema, state(old.library)

    def renew() -> None:
        with old.library.writer():
            pass

    kills = 0
    for number in killed_at_every_step(renew, lambda: put_back(old, tmp_path)):
        kills += 1
        assert state(old.library) == before, number
        put_in = old.put(f"late-{number}.mp4")  # whoever writes next may come with news
        old.library = Library.open(old.library.path)
        old.index()
        put_in.unlink()
        assert LibraryCard.read(old.library.path).schema == SCHEMA, number
        assert before.keys() <= state(old.library).keys(), number
        kept = [backup.name for backup in migrating.backups(old.library.path)]
        assert f"before-schema-{schema}" in kept, number
        assert kept == sorted(kept)[:2]  # and one of the schema between, where it was killed there
    assert kills > 12


def test_a_migration_without_room_leaves_the_old_library(old, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrating, "_keep", refuse)
    schema, before = old.library.card.schema, state(old.library)
    with pytest.raises(migrating.StorageError, match="back up"), old.library.writer():
        pass
    assert LibraryCard.read(old.library.path).schema == schema
    assert state(old.library) == before
    assert migrating.backups(old.library.path) == []
    assert not list(old.library.path.glob("*.new"))


def test_a_kill_at_any_step_of_a_rescue_leaves_what_can_be_rescued(shelf, tmp_path):
    for name in ("a", "b", "c"):
        shelf.put(f"{name}.mp4")
    shelf.index()
    reference = state(shelf.library)
    rows = shelf.library._reader.tables.clips.to_arrow().column("checksum").to_pylist()
    (data,) = (shelf.library.path / "clips.lance" / "data").iterdir()
    spoilt = bytearray(data.read_bytes())
    place = spoilt.index(rows[0])
    spoilt[place : place + 2] = b"\1\2"
    data.write_bytes(spoilt)
    shutil.copytree(shelf.library.path, tmp_path / "before")

    def mend() -> None:
        with writer_lock(shelf.library.path):
            rescue(shelf.library.path)

    steps = [
        *STEPS,
        *((rescuing, name) for name in ("_rebuild", "_put_in_place", "sync_folder")),
        (Path, "rename"),
        (Path, "unlink"),
    ]
    kills = 0
    for number in killed_at_every_step(mend, lambda: put_back(shelf, tmp_path), steps):
        kills += 1
        mend()
        shelf.library = Library.open(shelf.library.path)
        assert shelf.library.verify(deep=True) == [], number
        shelf.index()
        assert state(shelf.library) == reference, number
        assert not list(shelf.library.path.glob("rescued*")), number
    assert kills > 15
