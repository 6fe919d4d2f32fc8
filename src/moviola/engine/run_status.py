"""Report how far a run has come."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

from moviola.core import StoreCorruptError
from moviola.engine.leases import LEASE_SECONDS, claims_of
from moviola.engine.run_plan import RunPlan
from moviola.engine.run_store import RunStore
from moviola.pipeline.index.unit_file import unpack_unit


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Count the shards and videos of a run.

    Attributes:
        shards: all of them.
        shards_done: those whose file is there.
        running: those that a worker holds.
        videos: all contents, those that could not be read when the run was planned included.
        videos_done: those of finished shards, and those that could not be read.
        codes: what became of those, by code; damaged files count under none.
        damaged: finished shards whose file is not what was written; `commit` has them done again.
        workers_lost: claims whose worker died or hung.
        rate: videos a second, over the time since the first claim; 0 before there is any.
        seconds_left: at that rate; None where it is not known.
    """

    shards: int
    shards_done: int
    running: int
    videos: int
    videos_done: int
    codes: dict[str, int]
    damaged: int
    workers_lost: int
    rate: float
    seconds_left: float | None


def run_status(store: RunStore, plan: RunPlan, lease: float = LEASE_SECONDS) -> RunStatus:
    """Look at the files of a run and count."""
    there = store.names("units")
    codes = Counter(record.code.value for record in plan.failures)
    done, damaged, running, lost = 0, 0, 0, 0
    done_videos, began, last = 0, time.time(), 0.0
    for shard in plan.shards:
        claims = claims_of(store, shard.name)
        for claim in claims:
            held = claim.is_held(lease)
            running += held
            lost += claim.is_death and not held
            if claim.began:
                began, last = min(began, claim.began), max(last, claim.beat)
        if f"{shard.name}.unit" not in there:
            continue
        done += 1
        done_videos += len(shard.videos)
        try:
            videos, _ = unpack_unit(store.read(shard.file) or b"", plan.space)
        except StoreCorruptError:
            damaged += 1
            continue
        codes.update(found.record.code.value for found in videos)
    passed = (time.time() if running else last) - began
    rate = done_videos / passed if done_videos and passed > 0 else 0.0
    total = plan.videos - len(plan.failures)
    return RunStatus(
        shards=len(plan.shards),
        shards_done=done,
        running=running,
        videos=plan.videos,
        videos_done=done_videos + len(plan.failures),
        codes=dict(sorted(codes.items())),
        damaged=damaged,
        workers_lost=lost,
        rate=rate,
        seconds_left=(total - done_videos) / rate if rate else None,
    )
