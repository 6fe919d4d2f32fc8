"""A library that many workers made is the one that `moviola index` makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import moviola
from moviola.core import SpaceMismatchError
from moviola.engine.commit import commit_run
from moviola.engine.indexer import open_indexer
from moviola.engine.planning import cut_shards, plan_run
from moviola.engine.run_plan import RunPlan, RunSettings
from moviola.engine.run_status import run_status
from moviola.engine.run_store import open_run_store
from moviola.engine.work import Worker
from moviola.library import InputFile, Library, NewVideo
from moviola.library.storage.tables import Tables
from moviola.pipeline.encode import batches
from moviola.synthetic import shapes

VIDEOS = 10


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("world")
    shapes.generate(root, seed=7, videos={"test": VIDEOS}, workers=2)
    videos = root / "videos"
    first = min(videos.rglob("*.mp4"))
    (videos / "copy.mp4").write_bytes(first.read_bytes())
    (videos / "broken.mp4").write_text("no video")
    (videos / "talk.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nhello there\n")
    (videos / "talk.mp4").write_bytes(max(videos.rglob("*.mp4")).read_bytes() + b"\0")
    return root


@pytest.fixture(scope="module", autouse=True)
def _one_clip_a_batch():
    """Encode clips one by one: a product's last bits depend on how many rows it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "_BATCH", 1)
        yield


@pytest.fixture(scope="module")
def indexed(world) -> Library:
    moviola.index(
        [world / "videos"], library=world / "indexed", model="shapes", segment="windows:2/1"
    )
    return Library.open(world / "indexed")


def settings(**changes) -> RunSettings:
    return RunSettings(**{"model": "shapes", "segment": "windows:2/1"} | changes)


def contents(library: Library) -> dict[str, list]:
    """Read every row of a library's tables, in an order that does not depend on the writing."""
    tables = Tables.open(library.path)
    rows = {}
    for name, table in zip(("clips", "videos", "passages"), tables.all(), strict=True):
        rows[name] = sorted(table.to_arrow().to_pylist(), key=lambda row: row["id"])
    return rows


def test_the_library_of_a_run_is_that_of_an_index(world, indexed, tmp_path):
    place = str(tmp_path / "run")
    plan = plan_run([world / "videos"], place, settings(), shards=4)
    assert len(plan.shards) == 4
    store = open_run_store(place)
    assert RunPlan.read(store, place) == plan
    with open_indexer(plan, workers=1) as indexer:
        worker = Worker(store, plan, indexer)
        # Any order, a commit in between, and one shard twice.
        assert worker.work_on_shard(3)
        early = commit_run(store, plan, tmp_path / "library")
        assert early.waiting == sum(len(shard.videos) for shard in plan.shards[:3])
        before = store.read(plan.shards[3].file)
        store.delete(plan.shards[3].file)
        assert worker.work_on_shard(3)
        assert store.read(plan.shards[3].file) == before
        assert worker.work_on_claims() == 3
        assert not worker.work_on_shard(0)
    report = commit_run(store, plan, tmp_path / "library")
    assert (report.ok, report.failed, report.waiting) == (plan.videos - 1, 1, 0)
    made = Library.open(tmp_path / "library")
    assert contents(made) == contents(indexed)
    assert replace(made.card, created=indexed.card.created) == indexed.card
    assert made.verify(deep=True) == []
    generation = (made.videos(), made.generation)
    assert commit_run(store, plan, tmp_path / "library") == report
    again = Library.open(tmp_path / "library")
    assert (again.videos(), again.generation) == generation
    status = run_status(store, plan)
    assert (status.shards_done, status.running, status.damaged) == (4, 0, 0)
    assert status.codes == {"ok": report.ok, "unsupported_container": 1}
    assert status.videos_done == status.videos == plan.videos


def test_vectors_of_other_batches_differ_in_their_last_bits_alone(
    world, indexed, tmp_path, monkeypatch
):
    monkeypatch.setattr(batches, "_BATCH", 16)
    place = str(tmp_path / "run")
    plan = plan_run([world / "videos"], place, settings(), shards=3)
    store = open_run_store(place)
    with open_indexer(plan) as indexer:
        Worker(store, plan, indexer).work_on_claims()
    commit_run(store, plan, tmp_path / "library")
    made, one = Library.open(tmp_path / "library").snapshot(), indexed.snapshot()
    assert [record.id for record in made.records] == [record.id for record in one.records]
    np.testing.assert_array_equal(made.spans, one.spans)
    products = np.einsum("nd,nd->n", made.matrix.astype(np.float64), one.matrix.astype(np.float64))
    np.testing.assert_allclose(products, 1, atol=2e-4)


def test_a_damaged_shard_file_is_done_again(world, tmp_path):
    place = str(tmp_path / "run")
    plan = plan_run([world / "videos"], place, settings(model="none"), shards=2)
    store = open_run_store(place)
    with open_indexer(plan, workers=1) as indexer:
        worker = Worker(store, plan, indexer)
        worker.work_on_claims()
        data = store.read(plan.shards[0].file)
        store.write(plan.shards[0].file, data[:-1] + bytes([data[-1] ^ 1]))
        assert run_status(store, plan).damaged == 1
        report = commit_run(store, plan, tmp_path / "library")
        assert (report.damaged, report.waiting) == (1, len(plan.shards[0].videos))
        assert worker.work_on_claims() == 1
    assert store.read(plan.shards[0].file) == data
    assert commit_run(store, plan, tmp_path / "library").waiting == 0


def test_a_run_of_words_alone_needs_no_model(world, tmp_path):
    place = str(tmp_path / "run")
    plan = plan_run([world / "videos"], place, settings(model="none"), shards=2)
    store = open_run_store(place)
    with open_indexer(plan, workers=1) as indexer:
        Worker(store, plan, indexer).work_on_claims()
    commit_run(store, plan, tmp_path / "library")
    moviola.index([world / "videos"], library=tmp_path / "one", model="none", segment="windows:2/1")
    assert contents(Library.open(tmp_path / "library")) == contents(Library.open(tmp_path / "one"))


def test_another_plan_is_not_overwritten_and_another_library_refused(world, indexed, tmp_path):
    place = str(tmp_path / "run")
    plan = plan_run([world / "videos"], place, settings(model="none"))
    assert plan_run([world / "videos"], place, settings(model="none")) == plan
    with pytest.raises(FileExistsError, match="another run"):
        plan_run([world / "videos"], place, settings(model="none", segment="whole"))
    with pytest.raises(SpaceMismatchError):
        commit_run(open_run_store(place), plan, indexed.path)


def test_shards_are_even_and_the_largest_comes_first():
    def video(number: int, size: int) -> NewVideo:
        path = Path(f"/v/{number}.mp4")
        return NewVideo(f"{number:032}", (InputFile(path, path.parent, size, 1, 1, 1),))

    sizes = [900, 10, 300, 200, 400, 10, 0, 0]
    shards = cut_shards([video(n, size) for n, size in enumerate(sizes)], 3)
    loads = [sum(each.files[0].size for each in shard) for shard in shards]
    assert loads == sorted(loads, reverse=True)
    assert max(loads) == 900
    assert sorted(each.id for shard in shards for each in shard) == [f"{n:032}" for n in range(8)]
    assert len(cut_shards([video(1, 5)], 512)) == 1
    assert cut_shards([], 4) == []
