"""How fast scores become measures, beside other ways. Run: `python benchmarks/evaluate.py`.

Everything runs in this one process, on one thread, after a warm-up, interleaved, and is told as
CPU time: the ratios hold on a machine that has other work. `--scale 0.1` makes every part smaller.
torchmetrics and ranx are compared where they are installed; neither is a dependency.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from moviola.core import Clip, Embeddings, Qrels, Readout, Scores, Space, Span, Text
from moviola.core.ranks import FLOAT32_TOLERANCE
from moviola.evaluate import evaluate
from moviola.evaluate.retrieval import rank
from moviola.score import score_blocks

DIMENSION = 512
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def timed(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Smallest CPU seconds of each of `runs`, taken in turns after one warm-up."""
    best = dict.fromkeys(runs, float("inf"))
    for turn in range(rounds + 1):
        for name, run in runs.items():
            begin = time.process_time()
            run()
            if turn:
                best[name] = min(best[name], time.process_time() - begin)
    return best


def memory(run: Callable[[], object]) -> float:
    """Largest extra memory of `run`, in MiB."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def tell(title: str, seconds: dict[str, float], ours: str) -> None:
    """Print every time, and how many times as long as ours it is."""
    print(f"\n{title}")
    for name, value in seconds.items():
        print(f"  {name:<44} {value * 1e3:10.1f} ms   {value / seconds[ours]:7.2f} x")


def ids(prefix: str, count: int) -> list[str]:
    """Names of `count` items."""
    return [f"{prefix}{number}" for number in range(count)]


def ranking_alone(scale: float, rounds: int) -> None:
    """59,800 captions of 2,990 videos: the product is made, only ranks are wanted."""
    videos = max(64, round(2990 * scale))
    captions = 20 * videos
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((captions, videos), np.float32)
    matrix /= np.abs(matrix).max()
    own = np.repeat(np.arange(videos), 20)
    scores = Scores(ids("t", captions), ids("v", videos), matrix)
    qrels = Qrels({f"t{row}": frozenset([f"v{video}"]) for row, video in enumerate(own)})
    rows = np.arange(captions)

    def ours() -> np.ndarray:
        return rank(scores, qrels, FLOAT32_TOLERANCE)[1].better

    def two_argsorts() -> np.ndarray:
        order = np.argsort(-matrix, axis=1)
        return np.argsort(order, axis=1)[rows, own]

    def one_sort() -> np.ndarray:
        ordered = np.sort(-matrix, axis=1)
        return (ordered < -matrix[rows, own][:, None]).argmin(axis=1)

    def sort_alone() -> np.ndarray:
        return np.sort(matrix, axis=1)

    mine = "moviola, ties told"
    runs: dict[str, Callable[[], np.ndarray]] = {
        mine: ours,
        "two full argsorts": two_argsorts,
        "one np.sort, positions by value": one_sort,
        "np.sort alone": sort_alone,
    }
    assert np.abs(ours() - two_argsorts()).max() <= 1
    tell(
        f"ranking {captions:,} x {videos:,}, the product excluded",
        timed(runs, rounds),
        mine,
    )
    # The sort alone needs least of the others; two argsorts need four times as much.
    extra = {name: memory(runs[name]) for name in (mine, "np.sort alone")}
    for name, value in extra.items():
        print(f"  {name:<44} {value:10.1f} MiB  {value / extra[mine]:7.1f} x")


def with_the_product(scale: float, rounds: int) -> None:
    """10,000 x 10,000 from vectors, one direction, beside the product alone."""
    count = max(64, round(10_000 * scale))
    texts, clips = embedded(count)
    one = texts.vectors / np.linalg.norm(texts.vectors, axis=1, keepdims=True)
    other = clips.vectors / np.linalg.norm(clips.vectors, axis=1, keepdims=True)
    qrels = Qrels({f"t{row}": frozenset([f"v{row}"]) for row in range(count)})
    product = np.empty((count, count), np.float32)
    seconds = timed(
        {
            "the product alone": lambda: np.matmul(one, other.T, out=product),
            "moviola, from vectors to ranks": lambda: rank(
                score_blocks(texts, clips), qrels, FLOAT32_TOLERANCE
            ),
        },
        rounds,
    )
    tell(f"{count:,} x {count:,}, product included", seconds, "the product alone")


def beside_others(scale: float, rounds: int) -> None:
    """1,000 x 1,000: MRR and R@10 as torchmetrics and ranx give them, where they are installed."""
    count = max(64, round(1000 * scale))
    matrix = np.random.default_rng(0).standard_normal((count, count), np.float32)
    scores = Scores(ids("t", count), ids("v", count), matrix)
    qrels = Qrels({f"t{row}": frozenset([f"v{row}"]) for row in range(count)})

    def ours() -> None:
        evaluate(scores, qrels, measures=["R@10", "MRR"], resamples=0)

    runs: dict[str, Callable[[], object]] = {"moviola, both directions": ours}
    for name, make in (("torchmetrics", torchmetrics_run), ("ranx", ranx_run)):
        if importlib.util.find_spec(name) is None:
            print(f"\n{name} is not installed: SKIPPED")
        else:
            runs[f"{name}, one direction"] = make(matrix)
    tell(f"measures of {count:,} x {count:,}", timed(runs, rounds), "moviola, both directions")


def torchmetrics_run(matrix: np.ndarray) -> Callable[[], object]:
    """MRR and hit rate at 10 by torchmetrics."""
    import torch
    from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR

    torch.set_num_threads(1)
    count = len(matrix)
    indexes = torch.arange(count).repeat_interleave(count)
    target = torch.eye(count, dtype=torch.bool).flatten()

    def run() -> None:
        predicted = torch.from_numpy(matrix).flatten()
        for metric in (RetrievalMRR(), RetrievalHitRate(top_k=10)):
            metric.update(predicted, target, indexes=indexes)
            metric.compute()

    return run


def ranx_run(matrix: np.ndarray) -> Callable[[], object]:
    """MRR and hit rate at 10 by ranx, its run made of dictionaries as its users do."""
    from ranx import Qrels as RanxQrels
    from ranx import Run
    from ranx import evaluate as ranx_evaluate

    count = len(matrix)
    names = ids("v", count)
    relevant = RanxQrels({f"t{row}": {f"v{row}": 1} for row in range(count)})

    def run() -> None:
        found = {
            f"t{row}": dict(zip(names, map(float, matrix[row]), strict=True))
            for row in range(count)
        }
        ranx_evaluate(relevant, Run(found), ["mrr", "hit_rate@10"])

    return run


def embedded(count: int) -> tuple[Embeddings[Text], Embeddings[Clip]]:
    """`count` texts near to as many clips."""
    rng = np.random.default_rng(0)
    clips = rng.standard_normal((count, DIMENSION), np.float32)
    texts = clips + 4 * rng.standard_normal((count, DIMENSION), np.float32)
    offsets = np.arange(count + 1, dtype=np.int64)
    space, readout = Space.anonymous(DIMENSION), Readout("none")
    names = [Text(name, "") for name in ids("t", count)]
    places = [Clip(name, Path(), Span(0, 1)) for name in ids("v", count)]
    return (
        Embeddings(names, offsets, [texts], space, readout),
        Embeddings(places, offsets, [clips], space, readout),
    )


def largest_memory() -> float:
    """The most memory this process has held, in GiB.

    Not `ru_maxrss` where that can be helped: Linux lets a child begin with its parent's.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def large(count: int, queries: int) -> None:
    """`queries` of `count` texts against `count` clips; memory is that of the whole."""
    texts, clips = embedded(count)
    step = count // queries
    qrels = Qrels({f"t{row}": frozenset([f"v{row}"]) for row in range(0, count, step)})
    blocks = score_blocks(texts, clips)
    begin, cpu = time.perf_counter(), time.process_time()
    _, ranks = rank(blocks, qrels, FLOAT32_TOLERANCE)
    wall, cpu = time.perf_counter() - begin, time.process_time() - cpu
    asked = len(qrels)
    peak = largest_memory()
    print(
        f"\n{count:,} x {count:,} by {DIMENSION}: {asked:,} queries took {wall:.1f} s wall, "
        f"{cpu:.1f} s cpu: {cpu / asked * count:.0f} s cpu for all; "
        f"R@1 {100 * (ranks.better == 0).mean():.1f}; largest memory {peak:.2f} GiB"
    )


def main() -> None:
    """Run every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="size of every part")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=["ranking", "product", "others", "large"])
    parser.add_argument("--queries", type=int, default=2000, help="asked in the large part")
    asked = parser.parse_args()
    if asked.only in (None, "ranking"):
        ranking_alone(asked.scale, asked.rounds)
    if asked.only in (None, "product"):
        with_the_product(asked.scale, asked.rounds)
    if asked.only in (None, "others"):
        beside_others(asked.scale, asked.rounds)
    if asked.only == "large":
        large(max(1000, round(100_000 * asked.scale)), asked.queries)
    elif asked.only is None:
        # In a process of its own, so that its largest memory is not that of another part.
        again("--only", "large", "--scale", str(asked.scale), "--queries", str(asked.queries))


def again(*words: str) -> None:
    """Run this file in a new process that has one thread: a BLAS reads their number once."""
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    subprocess.run([sys.executable, __file__, *words], check=True, env=environment)  # noqa: S603


if __name__ == "__main__":
    if all(os.environ.get(name) == "1" for name in THREADS):
        main()
    else:
        again(*sys.argv[1:])
