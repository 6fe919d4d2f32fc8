"""Workers raise, die and hang, and every video still comes out once."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import numpy as np
import pytest

from moviola.core import FileCode, Span, StorageError, VideoInfo
from moviola.engine.leases import claims_of
from moviola.engine.planning import cut_shards
from moviola.engine.processes import run_processes
from moviola.engine.run_plan import PLAN, RunPlan, RunSettings, Shard
from moviola.engine.run_status import run_status
from moviola.engine.run_store import FolderStore
from moviola.engine.work import Worker, WorkOptions, unfinished
from moviola.library import InputFile, NewVideo
from moviola.pipeline.index.unit import IndexedVideo
from moviola.pipeline.index.unit_file import unpack_unit

INFO = VideoInfo(6.0, 320, 240, 150, "h264", "mov", has_sound=False)
SPACE = "s" * 32
FATES = ("", "raise", "crash", "hang", "memory")
OPTIONS = WorkOptions(lease=5.0, patience=60.0)


class Stub:
    """Index stub videos; the first digit of an id says what happens to it."""

    precision = ""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log

    def index(self, videos: Iterable[NewVideo]) -> Generator[IndexedVideo]:
        for video in videos:
            match FATES[int(video.id[0], 16)]:
                case "raise":
                    raise RuntimeError("a stub that raises")
                case "memory":
                    raise MemoryError
                case "crash":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "hang":
                    time.sleep(60)
            if self.log is not None:
                with self.log.open("a") as file:
                    file.write(video.id + "\n")
            yield IndexedVideo(video.record(INFO), [Span(0, 6)], np.ones((1, 1), np.float32))


def make_run(folder: Path, fates: list[str], shards: int) -> tuple[FolderStore, RunPlan]:
    videos = []
    for number, fate in enumerate(fates):
        path = folder / f"{number}.mp4"
        name = f"{FATES.index(fate):x}{number:031x}"
        videos.append(NewVideo(name, (InputFile(path, folder, 1, 1, 1, 1),)))
    cut = (tuple(shard) for shard in cut_shards(videos, shards))
    named = tuple(Shard(f"{number:032x}", shard) for number, shard in enumerate(cut))
    plan = RunPlan(RunSettings("stub", "windows:6/3"), SPACE, named)
    store = FolderStore(folder / "run")
    store.write(PLAN, plan.to_json())
    return store, plan


def codes_of(store: FolderStore, plan: RunPlan) -> dict[str, FileCode]:
    """Read the code of every video, and see that each is there once."""
    found: dict[str, FileCode] = {}
    for shard in plan.shards:
        videos, _ = unpack_unit(store.read(shard.file), SPACE)
        assert not found.keys() & {video.record.id for video in videos}
        found |= {video.record.id: video.record.code for video in videos}
    return found


def work(folder: Path) -> None:
    store = FolderStore(folder / "run")
    plan = RunPlan.read(store, "run")
    options = WorkOptions(lease=5.0, patience=3.0)
    Worker(store, plan, Stub(folder / "log"), options).work_on_claims()


def test_what_raises_is_left_out_and_nothing_is_done_twice(tmp_path):
    store, plan = make_run(tmp_path, ["", "raise", "", "raise", "", ""], shards=2)
    log = tmp_path / "log"
    assert Worker(store, plan, Stub(log), OPTIONS).work_on_claims() == 2
    codes = codes_of(store, plan)
    assert {code for name, code in codes.items() if name[0] == "1"} == {FileCode.BAD_EMBEDDING}
    assert sorted(log.read_text().split()) == sorted(name for name in codes if name[0] == "0")
    assert run_status(store, plan).codes == {"bad_embedding": 2, "ok": 4}


def test_killed_and_hung_workers_are_replaced(tmp_path):
    fates = ["crash", "hang"] + [""] * 28
    store, plan = make_run(tmp_path, fates, shards=6)
    run_processes(2, work, (tmp_path,), begun=lambda: len(store.names("claims")))
    codes = codes_of(store, plan)
    assert len(codes) == len(fates)
    bad = {name: code for name, code in codes.items() if code is not FileCode.OK}
    assert sorted((name[0], code) for name, code in bad.items()) == [
        ("2", FileCode.DECODER_CRASH),
        ("3", FileCode.TIMEOUT),
    ]
    assert run_status(store, plan).workers_lost >= 4
    assert not store.names("parts")


def test_a_shard_that_others_finished_is_left_alone(tmp_path):
    store, plan = make_run(tmp_path, [""] * 4, shards=2)
    log = tmp_path / "log"
    worker = Worker(store, plan, Stub(log), OPTIONS)
    assert worker.work_on_shard(0)
    assert not worker.work_on_shard(0)
    assert worker.work_on_claims() == 1
    assert len(log.read_text().split()) == 4
    with pytest.raises(ValueError, match="shards 0 to 1, not 2"):
        worker.work_on_shard(2)


def test_a_full_disk_ends_the_worker_and_loses_nothing(tmp_path, monkeypatch):
    store, plan = make_run(tmp_path, [""] * 4, shards=2)

    def refuse(name: str, _data: bytes) -> bool:
        raise StorageError("no space left on device")

    with monkeypatch.context() as patch:
        create = store.create
        patch.setattr(store, "create", lambda n, d: (refuse if "units" in n else create)(n, d))
        with pytest.raises(StorageError):
            Worker(store, plan, Stub(), OPTIONS).work_on_claims()
    assert len(unfinished(store, plan)) == 2
    (claim,) = [claim for shard in plan.shards for claim in claims_of(store, shard.name)]
    assert claim.ended == "released"
    assert Worker(store, plan, Stub(), OPTIONS).work_on_claims() == 2
    assert set(codes_of(store, plan).values()) == {FileCode.OK}


def test_a_video_that_takes_too_much_memory_is_left_out(tmp_path):
    store, plan = make_run(tmp_path, ["memory", ""], shards=1)
    Worker(store, plan, Stub(), OPTIONS).work_on_claims()
    assert sorted(codes_of(store, plan).values()) == [FileCode.OK, FileCode.OUT_OF_MEMORY]


def test_workers_that_never_begin_are_given_up(tmp_path):
    store, _ = make_run(tmp_path, [""], shards=1)
    (tmp_path / "run" / PLAN).write_bytes(b"{")
    run_processes(2, work, (tmp_path,), begun=lambda: len(store.names("claims")))
    assert not store.names("units")
