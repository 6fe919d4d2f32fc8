"""Libraries that keep several rows a clip: indexed, checked and searched by MaxSim."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from fixtures.qwen3_vl import save_qwen3_vl
from moviola.cli.app import app
from moviola.core import SpaceMismatchError
from moviola.core.pooling import pool_rows
from moviola.library import Library
from moviola.library.storage.row_checks import check_clips
from moviola.library.storage.tables import Tables
from moviola.pipeline.index.clip_rows import name_with_rows, pool_clips
from moviola.pipeline.index.index import index
from moviola.pipeline.index.opening import locked_library, prepare
from moviola.pipeline.search.search import search
from moviola.plugins import load_encoder
from moviola.retrieve import products
from moviola.serve.search.batching import Batcher
from moviola.synthetic import shapes
from moviola.testing import EchoEncoder

QUERIES = ("a red circle moves left", "a square, then a triangle that moves up", "a blue star")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    root = tmp_path_factory.mktemp("world")
    shapes.generate(root, seed=9, videos={"test": 3})
    return root


@pytest.fixture(scope="module")
def library(world):
    path = world / "library"
    report = index(world / "videos", library=path, model="shapes", rows="hierarchical-2")
    assert report.failed == 0
    return Library.open(path)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def naive(asked, clips):
    """Average over the rows that ask the best cosine with any row of a clip."""
    return [np.mean([max(float(a @ row) for row in clip) for a in asked]) for clip in clips]


def test_a_clip_keeps_its_rows_and_their_mean(world, library):
    assert library.card.rows == "hierarchical-2"
    assert library.card.model == "shapes,pooling=none"
    assert library.card.calibration is None
    snapshot = library.snapshot()
    counts = np.diff(snapshot.rows.offsets)
    assert set(counts.tolist()) == {2}
    np.testing.assert_allclose(np.linalg.norm(snapshot.rows.rows, axis=1), 1, atol=1e-5)
    # The same clips, encoded apart.
    plain = index(world / "videos", library=world / "all", model="shapes", rows="none")
    assert plain.clips == len(counts)
    every = Library.open(world / "all").snapshot()
    assert every.clips.tolist() == snapshot.clips.tolist()
    for clip in range(len(counts)):
        rows = every.rows.of(clip)
        assert len(rows) > 2
        np.testing.assert_allclose(
            snapshot.rows.of(clip), pool_rows(rows, "hierarchical-2"), atol=2e-3
        )
        mean = rows.mean(axis=0)
        np.testing.assert_allclose(snapshot.matrix[clip], mean / np.linalg.norm(mean), atol=2e-3)


@pytest.mark.parametrize("text", QUERIES)
def test_search_finds_the_moments_of_a_double_loop(library, text):
    encoder = load_encoder(library.card.model)
    (asked,) = encoder.encode_texts([text])
    snapshot = library.snapshot()
    clips = [snapshot.rows.of(clip) for clip in range(len(snapshot.matrix))]
    wanted = naive(unit(asked), clips)
    scores = products.score_directions([library.direction(asked)], snapshot)[0]
    np.testing.assert_allclose(scores, wanted, atol=1e-5)
    (best, *_) = search(text, library=library)
    assert best.video == snapshot.records[snapshot.owner_of(int(np.argmax(wanted)))].id
    assert best.probability is None


def test_clauses_ask_by_themselves(library):
    (asked,) = load_encoder(library.card.model).encode_texts([QUERIES[1]])
    assert library.direction(asked).shape == (len(asked), 257)
    assert len(asked) > 1


def test_mean_vectors_choose_first_where_clips_are_many(library, monkeypatch):
    snapshot = library.snapshot()
    direction = library.direction(load_encoder(library.card.model).encode_texts([QUERIES[0]])[0])
    exact = products.score_directions([direction], snapshot)[0]
    for most in (1, 3, len(exact) - 1, len(exact)):
        monkeypatch.setattr(products, "_EXACT_CLIPS", most)
        found = products.score_directions([direction], snapshot)[0]
        means = snapshot.matrix @ direction.mean(axis=0)
        chosen = np.argsort(-means)[:most]
        np.testing.assert_allclose(found[chosen], exact[chosen], atol=1e-6)
        rest = np.setdiff1d(np.arange(len(exact)), chosen)
        assert (found[rest] <= found[chosen].min() + 1e-6).all()
        np.testing.assert_array_equal(np.argsort(-found[rest]), np.argsort(-means[rest]))


def test_the_page_scores_as_the_command_line(library):
    encoder = load_encoder(library.card.model)
    snapshot = library.snapshot()
    batcher = Batcher(lambda texts: products.encode_directions(library, encoder, texts))
    try:
        found = batcher.scores(snapshot, list(QUERIES), [snapshot.matrix[1]])
    finally:
        batcher.close()
    multiply = products.multiply_with(library, encoder, snapshot)
    for ours, theirs in zip(found, multiply(QUERIES, [snapshot.matrix[1]]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_clip_resembles_itself_most(library):
    clip = library.snapshot().clips[2].decode()
    assert search(like=clip, own=True, library=library, fold=False)[0].video


def test_whole_videos_have_the_rows_of_their_clips(library):
    videos = library.embeddings()
    snapshot = library.snapshot()
    assert int(videos.offsets[-1]) == len(snapshot.rows.rows)
    np.testing.assert_array_equal(
        videos.rows(1),
        np.concatenate([snapshot.rows.of(c) for c in range(*snapshot.offsets[1:3])]),
    )


def test_an_unchanged_folder_is_not_decoded_again_and_other_rows_are_refused(world, library):
    report = index(world / "videos", library=library.path)
    assert (report.ok, report.skipped) == (0, 3)
    for rows in ("hierarchical-3", "none"):
        with pytest.raises(SpaceMismatchError, match="rows is 'hierarchical-2' there"):
            index(world / "videos", library=library.path, rows=rows)


def test_a_library_of_one_vector_a_clip_keeps_no_rows(world, tmp_path):
    index(world / "videos", library=tmp_path / "plain", model="shapes")
    plain = Library.open(tmp_path / "plain")
    assert plain.snapshot().rows is None
    assert plain.card.rows == ""
    with pytest.raises(SpaceMismatchError, match="there and"):
        index(world / "videos", library=plain.path, rows="none")


def test_damaged_rows_are_found(library):
    assert library.verify(deep=True) == []
    rows = Tables.open(library.path).clips.to_arrow()
    assert check_clips(rows)[1] == []
    place = rows.column_names.index("rows")
    turned = rows.column("rows").take(list(reversed(range(len(rows)))))
    sound, problems = check_clips(rows.set_column(place, rows.schema.field("rows"), turned))
    assert len(sound) == len(rows) % 2  # the one in the middle stays
    assert len(problems) == len(rows) - len(sound)
    assert all("is damaged" in problem.what for problem in problems)


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_from_end_to_end(world, tmp_path):
    path = tmp_path / "library"
    made = run(
        *("index", world / "videos", "--library", path, "--model", "shapes"),
        *("--rows", "hierarchical-2", "--json"),
    )
    assert made.exit_code == 0, made.output
    found = run("search", QUERIES[0], "--library", path, "--json")
    assert found.exit_code == 0, found.output
    moments = json.loads(found.stdout)
    assert [m.video for m in search(QUERIES[0], library=path)] == [m["video"] for m in moments]
    captions = tmp_path / "captions.csv"
    captions.write_text("video,caption\nx,y\n")
    refused = run("calibrate", "--captions", captions, "--library", path)
    assert "keeps several rows a clip (hierarchical-2)" in str(refused.exception)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--rows", "mean"], "mean leaves one row of a clip"),
        (["--rows", "hierarchical-0"], "keep at least one"),
        (["--rows", "some"], "no pooling is called 'some'"),
        (["--rows", "none", "--head", "x"], "leave --head or --rows out"),
        (["--rows", "attention-3"], "tells no attention among its rows"),
    ],
)
def test_what_cannot_be_kept_is_refused_before_anything_is_made(world, tmp_path, words, why):
    path = tmp_path / "library"
    found = run("index", world / "videos", "--library", path, "--model", "shapes", *words)
    assert found.exit_code != 0
    assert why in str(found.exception)
    assert not path.exists()


class Dotted(EchoEncoder):
    """A model whose scores need the lengths of its rows."""

    space = replace(EchoEncoder.space, metric="dot")


def test_rows_of_a_model_that_means_dot_products_are_refused(tmp_path):
    path = tmp_path / "library"
    options = {"segment": None, "head": None, "precision": None, "load": lambda *_: Dotted()}
    with (
        locked_library(path) as (existing, held),
        pytest.raises(ValueError, match=r"means dot products, and rows keep directions alone"),
    ):
        prepare(path, existing, held, model="shapes", rows="none", **options)
    assert not (path / "library.json").exists()


def test_a_chat_model_pools_by_its_own_attention(world, tmp_path):
    (tmp_path / "chat").mkdir()
    save_qwen3_vl(tmp_path / "chat", end=False)
    model = f"qwen3-vl:{tmp_path / 'chat'},readout=content,frames=4"
    path = tmp_path / "library"
    video = min((world / "videos").iterdir())
    report = index(video, library=path, model=model, rows="attention-3")
    assert report.failed == 0
    made = Library.open(path)
    assert made.card.rows == "attention-3"
    assert made.card.model == f"{model},pooling=attention-3"
    assert set(np.diff(made.snapshot().rows.offsets)) == {3}
    (found,) = {moment.path.name for moment in search("a red square", library=path)}
    assert found == video.name


def test_a_model_without_rows_says_so():
    with pytest.raises(ValueError, match="pools by itself and keeps no rows"):
        name_with_rows("moviola.testing.echo:EchoEncoder", "none", head=None)


def test_rows_without_a_direction_are_left_for_the_library_to_refuse():
    vectors, rows = pool_clips([np.zeros((2, 3), np.float32), np.eye(3, dtype="f")], "none")
    assert not vectors[0].any()
    np.testing.assert_allclose(vectors[1], np.full(3, 3**-0.5), atol=1e-6)
    assert [len(own) for own in rows] == [2, 3]
