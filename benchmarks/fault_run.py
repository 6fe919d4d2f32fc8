"""Run stub units of a run on many machines while workers raise, crash, hang and are killed.

    python benchmarks/fault_run.py --videos 10000 --out benchmarks/results/fault_run.json

Every stub takes `--seconds` of waiting, as a GPU would. 5 % raise, 1 % end their process, 1 % never
return; besides, workers are killed (SIGKILL) at random moments, and on purpose in every phase: as
they have claimed, while they decode, write, rename. Then the library is committed, killed in its
commit, committed again, and a run that is 99 % done is gone on with. The ideal time is what the
videos alone would take on these workers: their seconds, and for those that hang the patience, once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Generator, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from moviola.core import FileCode, Span, VideoInfo
from moviola.engine.commit import commit_run
from moviola.engine.planning import cut_shards
from moviola.engine.processes import run_processes
from moviola.engine.run_plan import PLAN, RunPlan, RunSettings, Shard
from moviola.engine.run_store import FolderStore
from moviola.engine.work import Worker, WorkOptions
from moviola.library import InputFile, Library, NewVideo
from moviola.pipeline.index.unit import IndexedVideo
from moviola.testing import EchoEncoder

MODEL = "moviola.testing:EchoEncoder"
INFO = VideoInfo(6.0, 320, 240, 150, "h264", "mov", has_sound=False)
FATES = ("", "raise", "crash", "hang")
#: Shares of the stubs that meet each fate.
SHARES = (0.93, 0.05, 0.01, 0.01)


@dataclass(frozen=True)
class FaultySettings:
    """Say how the stubs behave.

    Attributes:
        seconds: that each takes.
        lease: seconds of silence after which a shard is given away.
        patience: seconds without progress after which a worker ends itself.
    """

    seconds: float
    lease: float
    patience: float


class StubIndexer:
    """Index stub videos: wait, and raise, crash or hang where the video's id says so."""

    precision = "float32"

    def __init__(self, store: FolderStore, seconds: float) -> None:
        self._store = store
        self._seconds = seconds

    def index(self, videos: Iterable[NewVideo]) -> Generator[IndexedVideo]:
        """Index videos one by one."""
        for video in videos:
            fate = fate_of(video.id)
            if fate == "hang":
                time.sleep(3600)
            time.sleep(self._seconds)
            if fate == "raise":
                raise RuntimeError("a stub that raises")
            if fate == "crash":
                os.kill(os.getpid(), signal.SIGKILL)
            with (self._store.folder / "indexed.log").open("a") as file:
                file.write(video.id + "\n")
            draw = np.random.default_rng(int(video.id, 16) % 2**32)
            vector = draw.standard_normal((1, EchoEncoder().space.dimension)).astype(np.float32)
            vector /= np.linalg.norm(vector)
            yield IndexedVideo(video.record(INFO), [Span(0.0, 6.0)], vector)


class FatalStore(FolderStore):
    """Keep files in a folder, and kill this process in a phase of a write, once a phase."""

    def create(self, name: str, data: bytes) -> bool:
        """Write a file where there is none."""
        kind = name.partition("/")[0]
        self._die_once(f"{kind}-before-write")
        made = super().create(name, data)
        self._die_once(f"{kind}-after-rename")
        return made

    def publish(self, temporary: Path, final: Path) -> None:
        """Give a file that was written its name."""
        self._die_once(f"{final.parent.name[:5]}-before-rename")
        super().publish(temporary, final)

    def _die_once(self, phase: str) -> None:
        try:
            (self.folder / f"killed-{phase}").touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), signal.SIGKILL)


def fate_of(video: str) -> str:
    """Say what happens to a stub: `""`, `raise`, `crash` or `hang`."""
    return FATES[int(video[0], 16)]


def make_plan(folder: Path, videos: int, shards: int, seed: int = 1) -> RunPlan:
    """Write the plan of a run of stubs."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    new = []
    fates = [fate for fate, share in enumerate(SHARES) for _ in range(round(videos * share))]
    draw.shuffle(fates)
    for number, fate in enumerate(fates):
        path = folder / f"{number}.mp4"
        name = f"{fate:x}{draw.getrandbits(124):031x}"
        new.append(NewVideo(name, (InputFile(path, folder, *[1] * 4),)))
    cut = cut_shards(new, shards)
    plan = RunPlan(
        RunSettings(MODEL, "windows:6/3", channels=(), without_channels=("names", "subtitles")),
        EchoEncoder().space.digest,
        tuple(Shard(f"{number:032x}", tuple(shard)) for number, shard in enumerate(cut)),
    )
    FolderStore(folder / "run").write(PLAN, plan.to_json())
    return plan


def work(folder: Path, settings: FaultySettings, *, fatal: bool) -> None:
    """Work on the run of a folder until nothing is left."""
    store = (FatalStore if fatal else FolderStore)(folder / "run")
    plan = RunPlan.read(store, str(folder))
    indexer = StubIndexer(store, settings.seconds)
    Worker(store, plan, indexer, WorkOptions(settings.lease, settings.patience)).work_on_claims()


def kill_randomly(done: threading.Event, every: float, seed: int = 2) -> int:
    """Kill a worker now and then, until the run is done; return how many."""
    draw, kills = random.Random(seed), 0  # noqa: S311 - no secret
    while not done.wait(draw.uniform(0.5, 1.5) * every):
        children = multiprocessing.active_children()
        if children:
            os.kill(draw.choice(children).pid or 0, signal.SIGKILL)
            kills += 1
    return kills


def commit_and_die(folder: Path) -> None:
    """Commit, and be killed in the middle."""
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    store = FolderStore(folder / "run")
    commit_run(store, RunPlan.read(store, str(folder)), folder / "library")


def fault_run(
    folder: Path,
    settings: FaultySettings,
    *,
    videos: int,
    workers: int,
    shards: int,
    kills: float,
) -> dict[str, object]:
    """Carry out the run; return its figures.

    Raises:
        AssertionError: when a unit is lost or there twice.
    """
    plan = make_plan(folder, videos, shards)
    store = FolderStore(folder / "run")
    fates = Counter(fate_of(video.id) for shard in plan.shards for video in shard.videos)
    began, done, killed = time.monotonic(), threading.Event(), []
    killer = threading.Thread(target=lambda: killed.append(kill_randomly(done, kills)))
    killer.start()

    def work_all(*, fatal: bool) -> None:
        run_processes(
            *(workers, _worker, (folder, settings, fatal)),
            begun=lambda: len(store.names("claims")),
        )

    work_all(fatal=True)
    wall = time.monotonic() - began
    done.set()
    killer.join()
    ideal = (videos * settings.seconds + fates["hang"] * settings.patience) / workers

    context = multiprocessing.get_context("spawn")
    dying = context.Process(target=commit_and_die, args=(folder,))
    dying.start()
    dying.join()
    report = commit_run(store, plan, folder / "library")
    library = Library.open(folder / "library")
    records = library.videos()
    assert report.waiting == 0
    assert report.ok + report.failed == videos == len(records)
    assert len({record.id for record in records}) == videos
    assert library.snapshot().matrix.shape[0] == report.ok
    for record in records:
        codes = {
            "raise": {FileCode.BAD_EMBEDDING},
            "crash": {FileCode.DECODER_CRASH},
            "hang": {FileCode.TIMEOUT, FileCode.DECODER_CRASH},
            "": {FileCode.OK},
        }
        assert record.code in codes[fate_of(record.id)], record

    # Gone on with at 99 %: a worker was killed in every shard that is not done.
    log = folder / "run" / "indexed.log"
    indexed = len(log.read_text().splitlines())
    log.unlink()
    lost = plan.shards[: max(1, len(plan.shards) // 100)]
    for shard in lost:
        store.delete(shard.file)
    work_all(fatal=False)
    redone = len(log.read_text().splitlines())
    again = commit_run(store, plan, folder / "library")
    assert asdict(again) == asdict(report)
    return {
        "videos": videos,
        "ok": report.ok,
        "failed": report.failed,
        "codes": dict(Counter(record.code.value for record in records)),
        "workers": workers,
        "shards": len(plan.shards),
        **asdict(settings),
        "killed_at_random": killed[0],
        "killed_in_phases": sorted(p.name[7:] for p in (folder / "run").glob("killed-*")),
        "wall": round(wall, 2),
        "ideal": round(ideal, 2),
        "wall_over_ideal": round(wall / ideal, 3),
        "indexed_over_ok": round(indexed / report.ok, 4),
        "redone_after_99_percent": round(redone / videos, 5),
    }


def _worker(folder: Path, settings: FaultySettings, fatal: bool) -> None:
    work(folder, settings, fatal=fatal)


def main() -> None:
    """Run and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--shards", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--lease", type=float, default=10.0)
    parser.add_argument("--patience", type=float, default=5.0)
    parser.add_argument("--kill-every", type=float, default=10.0)
    parser.add_argument("--out", type=Path)
    found = parser.parse_args()
    settings = FaultySettings(found.seconds, found.lease, found.patience)
    with tempfile.TemporaryDirectory() as folder:
        figures = fault_run(
            Path(folder),
            settings,
            videos=found.videos,
            workers=found.workers,
            shards=found.shards,
            kills=found.kill_every,
        )
    text = json.dumps(figures, indent=2)
    if found.out is not None:
        found.out.write_text(text + "\n")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
