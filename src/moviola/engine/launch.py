"""Work on a run in this process, or in several of this machine."""

from __future__ import annotations

from moviola.engine.indexer import open_indexer
from moviola.engine.processes import run_processes
from moviola.engine.run_plan import RunPlan
from moviola.engine.run_store import open_run_store
from moviola.engine.work import Worker, WorkOptions, unfinished


def work(place: str, options: WorkOptions, *, shard: int | None = None, processes: int = 1) -> int:
    """Work on the run at `place`; return how many shards are left when nothing is to be had.

    Args:
        place: folder or URL of the run.
        options: how workers wait.
        shard: do this one alone.
        processes: workers; with several, one that dies is replaced.

    Raises:
        FileNotFoundError: when there is no run.
        StorageError: when it cannot be written.
        ValueError: when there is no such shard.
    """
    store = open_run_store(place)
    plan = RunPlan.read(store, place)
    if processes > 1:
        run_processes(
            *(processes, work_on_claims, (place, options)),
            begun=lambda: len(store.names("claims")),
        )
    elif shard is None:
        work_on_claims(place, options)
    else:
        with open_indexer(plan) as indexer:
            Worker(store, plan, indexer, options).work_on_shard(shard)
    return len(unfinished(store, plan))


def work_on_claims(place: str, options: WorkOptions) -> None:
    """Claim shards of the run at `place` until none is left.

    Raises:
        FileNotFoundError: when there is no run.
        StorageError: when it cannot be written.
    """
    store = open_run_store(place)
    plan = RunPlan.read(store, place)
    if not unfinished(store, plan):
        return  # a model need not be loaded to find nothing to do
    with open_indexer(plan) as indexer:
        Worker(store, plan, indexer, options).work_on_claims()
