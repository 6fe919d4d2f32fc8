"""From inputs to reports: protocols, heads, blocks, and what a report folder holds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from moviola.core import (
    Clip,
    Embeddings,
    PluginNotFoundError,
    Readout,
    Space,
    StoreCorruptError,
    Text,
)
from moviola.evaluate.trec import read_qrels, read_run
from moviola.pipeline.align.heads import load_head
from moviola.pipeline.evaluate.annotations import annotated
from moviola.pipeline.evaluate.evaluate import evaluate_vectors
from moviola.pipeline.evaluate.evaluation import EvaluateOptions, as_object
from moviola.pipeline.evaluate.given import evaluate_similarity, evaluate_trec
from moviola.pipeline.evaluate.protocols import check_protocol
from moviola.pipeline.evaluate.reporting import write_report

RNG = np.random.default_rng(17)
QUICK = EvaluateOptions(resamples=20)


def _save(path: Path, array: np.ndarray) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array)
    return str(path)


def _rows(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


# Protocols.


def test_a_protocol_checks_counts():
    numbers = [str(row) for row in range(1000)]
    assert check_protocol(None, numbers, numbers, named=False) == ()
    (said,) = check_protocol("msrvtt-1ka", numbers, numbers, named=False)
    assert "only the counts" in said
    said = check_protocol("msrvtt-1ka", numbers[:879], numbers[:879], named=False)
    assert "you have 879 of 1,000 videos: not comparable" in said[0]
    with pytest.raises(ValueError, match="1,000 videos, and here are 1,001"):
        check_protocol("msrvtt-1ka", numbers, [*numbers, "x"], named=False)
    with pytest.raises(ValueError, match="Did you mean 'msrvtt-1ka'"):
        check_protocol("msrvtt1ka", numbers, numbers, named=False)


@pytest.mark.shared
def test_a_protocol_checks_ids(shared_data):
    lines = (shared_data / "annotations/MSRVTT/MSRVTT_JSFUSION_test.csv").read_text().splitlines()
    videos = [line.split(",")[2] for line in lines[1:]]
    texts = [f"{video}-1" for video in videos]
    assert check_protocol("msrvtt-1ka", texts, videos, named=True) == ()
    with pytest.raises(ValueError, match="but other ones"):
        check_protocol("msrvtt-1ka", texts, [*videos[1:], "video0"], named=True)


def test_what_is_missing_is_said_wherever_the_numbers_are(tmp_path):
    matrix = _save(tmp_path / "s.npy", _rows(879, 879))
    asked = replace(QUICK, protocol="msrvtt-1ka")
    found = evaluate_similarity(matrix, relevance=None, asked=asked)
    write_report(found, tmp_path / "out")
    for told in (
        str(found.result),
        json.dumps(as_object(found)),
        *((tmp_path / "out" / name).read_text() for name in ("report.html", "results.json")),
        (tmp_path / "out" / "manifest.json").read_text(),
    ):
        assert "you have 879 of 1,000 videos: not comparable" in told


@pytest.mark.shared
def test_what_is_there_of_a_protocol_is_evaluated_and_flagged(shared_data, tmp_path):
    lines = (shared_data / "annotations/MSRVTT/MSRVTT_JSFUSION_test.csv").read_text().splitlines()
    names = [line.split(",")[2] for line in lines[1:]]
    rows = _rows(1000, 8)
    for number, name in enumerate(names):
        _save(tmp_path / "t" / f"{name}-1.npy", rows[number])
        if number < 879:
            _save(tmp_path / "v" / f"{name}.npy", rows[number])
    sides = str(tmp_path / "t"), str(tmp_path / "v")
    with pytest.raises(ValueError, match="121 of 1000 texts name no video that is there"):
        evaluate_vectors(*sides, asked=QUICK)
    found = evaluate_vectors(*sides, asked=replace(QUICK, protocol="msrvtt-1ka"))
    assert "msrvtt-1ka: you have 879 of 1,000 videos: not comparable" in found.result.notes
    assert (found.result.t2v.n_gallery, found.result.v2t.n_gallery) == (879, 879)
    assert found.result.t2v["R@1"] == pytest.approx(100)
    assert len(found.result.t2v.queries) == 879


# Heads, metrics, blocks.


class Halving:
    """An aligner that keeps the first half of every vector, in a space of its own."""

    space = Space("halving", "1", "w", 4, "dot")

    def _half(self, side):
        rows = [side.rows(i)[:, :4] for i in range(len(side))]
        return Embeddings.from_rows(side.items, rows, self.space, Readout("halving"))

    def align_texts(self, texts: Embeddings[Text]) -> Embeddings[Text]:
        return self._half(texts)

    def align_clips(self, clips: Embeddings[Clip]) -> Embeddings[Clip]:
        return self._half(clips)


def test_a_head_maps_both_sides_and_its_metric_scores(tmp_path, monkeypatch):
    texts, videos = _rows(6, 8), _rows(6, 8)
    t, v = _save(tmp_path / "t.npy", texts), _save(tmp_path / "v.npy", videos)
    monkeypatch.setattr("moviola.pipeline.align.heads.importlib.import_module", lambda _: Here)
    found = evaluate_vectors(t, v, head="anywhere:Halving", asked=QUICK)
    assert found.scoring == "dot"
    np.testing.assert_allclose(found.scores.matrix, texts[:, :4] @ videos[:, :4].T, rtol=1e-5)


class Here:
    """What stands in for a module."""

    Halving = Halving
    number = 3


def test_what_is_no_head_is_refused(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no folder nowhere"):
        load_head("nowhere")
    with pytest.raises(StoreCorruptError, match="no head"):
        load_head(str(tmp_path))
    with pytest.raises(PluginNotFoundError, match="cannot be imported"):
        load_head("no_such_module:head")
    monkeypatch.setattr("moviola.pipeline.align.heads.importlib.import_module", lambda _: Here)
    with pytest.raises(PluginNotFoundError, match="lacks space"):
        load_head("anywhere:number")


def test_blocks_and_the_whole_matrix_agree(tmp_path, monkeypatch):
    t, v = _save(tmp_path / "t.npy", _rows(50, 8)), _save(tmp_path / "v.npy", _rows(50, 8))
    whole = evaluate_vectors(t, v, asked=QUICK)
    monkeypatch.setattr("moviola.pipeline.evaluate.evaluate._MANY", 0)
    blocks = evaluate_vectors(t, v, keep_scores=False, asked=QUICK)
    assert whole.scores is not None
    assert blocks.scores is None
    assert as_object(blocks) == as_object(whole)


def test_a_matrix_beyond_memory_is_refused_before_it_is_made(tmp_path, monkeypatch):
    t, v = _save(tmp_path / "t.npy", _rows(5, 8)), _save(tmp_path / "v.npy", _rows(5, 8))
    monkeypatch.setattr("moviola.pipeline.evaluate.evaluate._MOST", 24)
    with pytest.raises(ValueError, match="all 25 scores at once"):
        evaluate_vectors(t, v, asked=QUICK)


def test_unpooled_rows_are_scored_by_maxsim(tmp_path):
    t, v = _save(tmp_path / "t.npy", _rows(6, 3, 8)), _save(tmp_path / "v.npy", _rows(6, 2, 8))
    assert evaluate_vectors(t, v, pooling="none", asked=QUICK).scoring == "maxsim"


# The folder of a report.


def test_a_report_holds_the_same_numbers_everywhere(tmp_path):
    matrix = _save(tmp_path / "s.npy", _rows(12, 9))
    pairs = _save(tmp_path / "p.npy", np.array([[i, i % 5] for i in range(11)]))
    found = evaluate_similarity(matrix, relevance=Path(pairs), asked=QUICK)
    out = tmp_path / "out"
    write_report(found, out)
    results = json.loads((out / "results.json").read_text())
    assert results["schema"] == "moviola-results"
    assert results["t2v"] == dict(found.result.t2v.aggregates)
    assert results["intervals"]["v2t"]["MRR"] == list(found.result.v2t.intervals["MRR"])
    table = pq.read_table(out / "per_query.parquet").to_pydict()
    values = [
        value for value, side in zip(table["MRR"], table["direction"], strict=True) if side == "t2v"
    ]
    assert np.mean(values) == pytest.approx(found.result.t2v["MRR"])
    assert read_qrels(out / "qrels.trec") == found.qrels
    run = read_run(out / "run.trec")
    assert {len(items) for items in run.values()} == {9}
    for text, items in run.items():
        for video, score in items.items():
            assert np.float32(score) == found.scores.matrix[int(text), int(video)]
    manifest = json.loads((out / "manifest.json").read_text())
    assert len(manifest["inputs"]["similarity"]["sha256"]) == 64
    assert {"versions", "command", "seed", "seconds", "protocol", "spaces"} <= set(manifest)


def test_a_run_has_a_report_too(tmp_path):
    (tmp_path / "run").write_text("a Q0 x 1 2 t\na Q0 y 2 1 t\nb Q0 x 1 3 t\n")
    (tmp_path / "qrels").write_text("a 0 x 1\nb 0 y 1\n")
    found = evaluate_trec(tmp_path / "run", relevance=tmp_path / "qrels", asked=QUICK)
    write_report(found, tmp_path / "out")
    assert "never found" in (tmp_path / "out" / "report.html").read_text()
    assert read_run(tmp_path / "out" / "run.trec") == found.run


def test_what_fails_half_way_leaves_nothing_and_keeps_the_report_before(tmp_path, monkeypatch):
    found = evaluate_similarity(_save(tmp_path / "s.npy", _rows(5, 5)), relevance=None, asked=QUICK)
    out = tmp_path / "out"
    write_report(found, out)
    before = (out / "results.json").read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("moviola.pipeline.evaluate.reporting.render_page", fail)
    with pytest.raises(OSError, match="No space"):
        write_report(found, out)
    assert (out / "results.json").read_bytes() == before
    with pytest.raises(OSError, match="No space"):
        write_report(found, tmp_path / "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "s.npy"]


def test_words_frames_and_groups_come_from_the_data_set(tmp_path, colour_video):
    videos = tmp_path / "data"
    videos.mkdir()
    for name, colour in (("red", (220, 20, 20)), ("green", (20, 200, 20)), ("blue", (20, 20, 220))):
        colour_video(videos / f"{name}.mp4", colour, seconds=1)
    names = ["red", "green", "blue"]
    rows = [f"{name},the colour {name}" for name in names]
    (videos / "captions.csv").write_text("\n".join(["video,caption", *rows]) + "\n")
    for name in names:
        _save(tmp_path / "v" / f"{name}.npy", _rows(4))
        _save(tmp_path / "t" / f"{name}-1.npy", _rows(4))
    # Every text finds the wrong video, so that all stand in the gallery of failures.
    vectors = dict(zip(names, np.eye(3, 4, dtype=np.float32), strict=True))
    for name, wrong in (("red", "green"), ("green", "blue"), ("blue", "red")):
        _save(tmp_path / "v" / f"{name}.npy", vectors[name])
        _save(tmp_path / "t" / f"{name}-1.npy", vectors[wrong])
    found = evaluate_vectors(str(tmp_path / "t"), str(tmp_path / "v"), asked=QUICK)
    found, _ = annotated(found, videos)
    assert {text.text for text in found.texts} == {f"the colour {name}" for name in names}
    write_report(found, tmp_path / "out", groups={"warm": frozenset({"red-1"})})
    page = (tmp_path / "out" / "report.html").read_text()
    assert "the colour red" in page
    assert page.count("data:image/jpeg;base64,") >= 3
    assert "warm (1)" in page
    (videos / "captions.csv").write_text("video,caption\nother,words\n")
    with pytest.raises(ValueError, match="holds none of the texts"):
        annotated(found, videos)
