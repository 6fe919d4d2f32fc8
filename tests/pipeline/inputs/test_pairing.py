"""Two sides joined: by ids, by an explicit table in each of its forms, or bare arrays by row."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from typer.testing import CliRunner

from moviola.cli.app import app
from moviola.core import Clip, DatasetError, Embeddings, Readout, Space, Span, Text
from moviola.datasets.annotations.names import ClipNames
from moviola.pipeline.inputs.pairing import Pairs, join_sides, owners_by_name, read_pairs
from moviola.pipeline.inputs.relevance import read_relevance
from moviola.pipeline.inputs.sources import Source, parse_source
from moviola.plugins import load_dataset
from moviola.store import StoreWriter

RNG = np.random.default_rng(0)


def _texts(*ids: str) -> Embeddings[Text]:
    return Embeddings.from_rows(
        [Text(name, "") for name in ids],
        [np.ones((1, 2), np.float32)] * len(ids),
        Space.anonymous(2),
        Readout(""),
    )


def _clips(*ids: str) -> Embeddings[Clip]:
    return Embeddings.from_rows(
        [Clip(name, Path(), Span(0, 1)) for name in ids],
        [np.ones((1, 2), np.float32)] * len(ids),
        Space.anonymous(2),
        Readout(""),
    )


def _store(folder: Path, items: Sequence[Clip] | Sequence[Text]) -> str:
    space = Space("toy", "1", "w", 4)
    kind = "clips" if isinstance(items[0], Clip) else "texts"
    with StoreWriter(folder, kind=kind, space=space, readout=Readout("toy")) as writer:
        for item in items:
            writer.append(item, RNG.normal(size=(1, 4)).astype(np.float32))
    return str(folder)


def _stores(folder: Path, texts: Sequence[str], clips: Sequence[str]) -> tuple[str, str]:
    return (
        _store(folder / "texts", [Text(name, "words") for name in texts]),
        _store(folder / "videos", [Clip(name, Path("no.mp4"), Span(0, 1)) for name in clips]),
    )


def owners_of(texts: Sequence[str], clips: Sequence[str]) -> list[str | None]:
    names = ClipNames([Clip(name, Path(), Span(0, 1)) for name in clips])
    return owners_by_name([Text(name, "") for name in texts], names)


def test_names_say_what_belongs_to_what() -> None:
    assert owners_of(["v-1", "v-2", "w-1"], ["v", "w"]) == ["v", "v", "w"]
    assert owners_of(["v-1", "w"], ["v", "w"]) == ["v", "w"]
    assert owners_of(["a-b-12"], ["a-b", "a"]) == ["a-b"]
    assert owners_of(["v-x", "u-1"], ["v"]) == [None, None]
    # Ids of videos may themselves end in a number.
    assert owners_of(["x-1", "x-2"], ["x-1", "x-2"]) == ["x-1", "x-2"]
    assert owners_of(["x-1-1", "x-2-1"], ["x-1", "x-2"]) == ["x-1", "x-2"]
    assert owners_of(["x-1", "y-1"], ["x", "x-1", "y"]) == ["x", "y"]


def test_ids_that_can_be_read_in_two_ways_are_not_guessed() -> None:
    with pytest.raises(ValueError, match=r"'clip-1' may be a caption of 'clip', or called like"):
        owners_of(["clip-1", "clip-2"], ["clip", "clip-1", "clip-2"])
    texts = [Text(f"clip-{number}", "words", "clip") for number in (1, 2)]
    clips = [Clip(name, Path(), Span(0, 1)) for name in ("clip", "clip-1", "clip-2")]
    assert owners_by_name(texts, ClipNames(clips)) == ["clip", "clip"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Cafe\u0301", "Caf\u00e9"),
        ("clips\\red", "red"),
        ("clips/red.MP4", "red"),
        (" red ", "red"),
        ("a/two", "a/two"),
        ("a\\two.mp4", "a/two"),
        ("red@1.000-2.000", "red@1.000-2.000"),
        ("clips/red@1.000-2.000", "red@1.000-2.000"),
        ("other/red", None),
        ("ed", None),
    ],
)
def test_clips_are_found_however_their_names_are_spelled(name: str, found: str | None) -> None:
    clips = ClipNames(
        [
            Clip("Caf\u00e9", Path("/v/Caf\u00e9.mp4"), Span(0, 1)),
            Clip("red", Path("/v/clips/red.MP4"), Span(0, 1)),
            Clip("red@1.000-2.000", Path("/v/clips/red.MP4"), Span(1, 2)),
            Clip("a/two", Path("/v/a/two.mp4"), Span(0, 1)),
            Clip("b/two", Path("/v/b/two.mp4"), Span(0, 1)),
        ]
    )
    assert clips.find(name) == found
    with pytest.raises(ValueError, match="'two' may mean the clip 'a/two' or 'b/two'"):
        clips.find("two")


@pytest.mark.shared
@pytest.mark.parametrize("case", ["a", "b", "e", "f", "ids"])
def test_captions_find_their_clips_through_the_command_line(
    shared_data: Path, tmp_path: Path, case: str
) -> None:
    folder = shared_data / "cases" / "tables" / case
    for given, out in ((folder / "captions.csv", "t"), (folder, "v")):
        done = CliRunner().invoke(
            app, ["encode", str(given), "--model", "shapes", "--out", str(tmp_path / out)]
        )
        assert done.exit_code == 0, done.output
    texts, clips, qrels = read_pairs(parse_source(tmp_path / "t"), parse_source(tmp_path / "v"))
    (owner,) = set.union(*map(set, qrels.relevant.values()))
    wanted = {"a": "Caf\u00e9", "b": "red", "e": "red", "f": "CLIP0001", "ids": "clip"}[case]
    assert unicodedata.normalize("NFC", owner) == wanted
    assert set(qrels.relevant) == {text.id for text in texts.items}
    if case == "e":
        assert [text.text for text in texts.items] == ["it is red"]
    # The table itself says the same where it is named.
    table = parse_source(folder / "captions.csv")
    assert join_sides(texts, clips, table).relevant == qrels.relevant
    assert load_dataset("folder", folder, "all").missing == ()


def test_rows_are_paired_by_position_in_bare_arrays_only(tmp_path: Path) -> None:
    for name, count in (("t", 2), ("v", 2), ("more", 3)):
        np.save(tmp_path / f"{name}.npy", RNG.normal(size=(count, 4)).astype(np.float32))
    save_file({"v": np.load(tmp_path / "v.npy")}, tmp_path / "v.safetensors")
    bare = parse_source(tmp_path / "t.npy")
    for other in ("v.npy", "v.safetensors:v"):
        pairs = read_pairs(bare, parse_source(str(tmp_path / other)))
        assert pairs.qrels.relevant == {"0": {"0"}, "1": {"1"}}
        assert pairs.owners().tolist() == [0, 1]
    with pytest.raises(ValueError, match="3 texts and 2 videos"):
        read_pairs(parse_source(tmp_path / "more.npy"), parse_source(tmp_path / "v.npy"))
    texts, videos = _stores(tmp_path, ["a", "b"], ["x", "y"])
    for one, other in ((bare, videos), (texts, bare.spec), (texts, videos)):
        source = one if not isinstance(one, str) else parse_source(one)
        with pytest.raises(ValueError, match="texts name no video"):
            read_pairs(source, parse_source(other))


def test_a_store_whose_ids_are_numbers_is_joined_by_them(tmp_path: Path) -> None:
    texts, videos = _stores(tmp_path, ["0", "1", "2"], ["2", "0", "1"])
    pairs = read_pairs(parse_source(texts), parse_source(videos))
    assert pairs.owners().tolist() == [1, 2, 0]
    _, fewer = _stores(tmp_path / "fewer", ["0"], ["1", "2", "3"])
    with pytest.raises(ValueError, match=r"1 of 3 texts name no video.*called '0'"):
        read_pairs(parse_source(texts), parse_source(fewer))


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate"],
        ["diagnose"],
        ["pooling-grid", "--out", "OUT"],
        ["layer-sweep", "--out", "OUT"],
        ["align", "fit", "--out", "OUT"],
        ["align", "sweep"],
        ["align", "check"],
        ["experiment", "r01", "--out", "OUT"],
    ],
)
def test_no_command_pairs_two_stores_with_unrelated_ids(tmp_path: Path, command: list[str]) -> None:
    ids = ["apple", "birch", "cedar", "daisy"]
    texts, videos = _stores(tmp_path, ids, ["one", "two", "three", "four"])
    words = [str(tmp_path / "out") if word == "OUT" else word for word in command]
    done = CliRunner().invoke(app, [*words, "--texts", texts, "--videos", videos])
    assert isinstance(done.exception, ValueError), done.output
    told = str(done.exception)
    for shown in ("'apple', 'birch', 'cedar', …", "'one', 'two', 'three', …", "--caption-video"):
        assert shown in told


def test_every_form_of_table_says_the_same(tmp_path: Path) -> None:
    texts, clips = ["a", "b", "c"], ["x", "y"]
    np.save(tmp_path / "index.npy", np.array([1, 1, 0], np.int32))
    save_file({"index": np.array([1, 1, 0])}, tmp_path / "index.safetensors")
    np.save(tmp_path / "pairs.npy", np.array([[0, 1], [1, 1], [2, 0]]))
    (tmp_path / "qrels.trec").write_text("a 0 y 1\nb 0 y 1\nc 0 x 1\nc 0 y 0\n")
    (tmp_path / "ids.csv").write_text("text,video\na,y\nb,y\nc,x\n")
    (tmp_path / "ids.jsonl").write_text(
        "".join(
            json.dumps({"video_id": video, "text_id": text}) + "\n"
            for text, video in (("a", "y"), ("b", "y"), ("c", "x"))
        )
    )
    (tmp_path / "made.csv").write_text("id,video,caption\na,y.mp4,w\nb,y.mp4,w\nc,x.mp4,w\n")
    for name in ("index.npy", "index.safetensors:index", "pairs.npy", "qrels.trec"):
        found = read_relevance(parse_source(str(tmp_path / name)), texts, clips)
        assert found.relevant == {"a": {"y"}, "b": {"y"}, "c": {"x"}}, name
    for name in ("ids.csv", "ids.jsonl", "made.csv"):
        found = read_relevance(parse_source(tmp_path / name), texts, clips)
        assert found.relevant == {"a": {"y"}, "b": {"y"}, "c": {"x"}}, name


def test_the_table_of_captions_that_was_encoded_says_whose_they_are(tmp_path: Path) -> None:
    table = tmp_path / "captions.csv"
    table.write_text("video,caption,start,end\nx.mp4,one,,\nx.mp4,two,,\nx.mp4,cut,1,2\n")
    texts, clips = ["x-1", "x-2", "x@1.000-2.000-1"], ["x", "x-1", "x@1.000-2.000"]
    assert read_relevance(parse_source(table), texts, clips).relevant == {
        "x-1": {"x"},
        "x-2": {"x"},
        "x@1.000-2.000-1": {"x@1.000-2.000"},
    }


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([0, 2, 1]), r"t\.npy\[1\] is 2|t\.npy\[1, 1\]"),
        (np.array([0, -1, 1]), r"is -1; there are 2 videos, rows 0 to 1"),
        (np.array([0.0, 1.0, 1.0]), r"t\.npy holds float64"),
        (np.array([0, 1]), r"t\.npy has shape \(2,\)"),
        (np.array([4000, 4001, 4002]), "are these ids"),
        (np.array([[0, 2]]), r"\[0, 1\] is 2; there are 2 videos"),
        (np.array([[3, 0]]), r"\[0, 0\] is 3; there are 3 texts"),
        (np.zeros((0, 2), int), "shape"),
        (np.array([[0.0, 1.0]]), "whole numbers"),
    ],
)
def test_rows_that_are_not_there_are_named(tmp_path: Path, array: np.ndarray, said: str) -> None:
    np.save(tmp_path / "t.npy", array)
    with pytest.raises(ValueError, match=said):
        read_relevance(parse_source(tmp_path / "t.npy"), ["a", "b", "c"], ["x", "y"])


def test_row_pairs_may_be_many_to_many(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([[0, 1], [0, 0], [2, 1]]))
    found = read_relevance(parse_source(tmp_path / "p.npy"), ["a", "b", "c"], ["x", "y"])
    assert found.relevant == {"a": {"x", "y"}, "c": {"y"}}
    texts, clips = _texts("a", "b", "c"), _clips("x", "y")
    with pytest.raises(ValueError, match="'a' belongs to 2 videos"):
        Pairs(texts, clips, found).owners()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text,video\na,z\n", "no video 'z', relevant to 'a'"),
        ("text,video\nq,x\n", "no text 'q'"),
        ("text,video\n", "has no rows"),
        ("words,video\na,x\n", "needs 'text' and 'video'"),
    ],
)
def test_a_table_of_ids_that_does_not_fit_is_refused(
    tmp_path: Path, content: str, said: str
) -> None:
    (tmp_path / "t.csv").write_text(content)
    with pytest.raises((ValueError, DatasetError), match=said):
        read_relevance(parse_source(tmp_path / "t.csv"), ["a", "b"], ["x", "y"])


def test_a_table_goes_before_ids() -> None:
    assert join_sides(_texts("x"), _clips("x", "y")).relevant == {"x": {"x"}}


def _side(folder: Path, names: list[str]) -> Source:
    folder.mkdir()
    for name in names:
        np.save(folder / f"{name}.npy", np.ones(3, np.float32))
    return parse_source(folder)


@pytest.mark.parametrize("told", [False, True])
def test_of_a_partial_data_set_the_texts_of_missing_videos_are_left_out(
    tmp_path: Path, *, told: bool
) -> None:
    sides = _side(tmp_path / "t", ["a-1", "b-1", "c-1"]), _side(tmp_path / "v", ["a", "c"])
    (tmp_path / "pairs.csv").write_text("text,video\na-1,a\nb-1,b\nc-1,c\n")
    table = parse_source(tmp_path / "pairs.csv") if told else None
    with pytest.raises(ValueError, match="b"):
        read_pairs(*sides, table)
    pairs = read_pairs(*sides, table, partial=True)
    assert [text.id for text in pairs.texts.items] == ["a-1", "c-1"]
    assert set(pairs.qrels.relevant) == {"a-1", "c-1"}
    assert len(pairs.clips) == 2


@pytest.mark.parametrize("told", [False, True])
def test_where_nothing_fits_it_is_no_partial_data_set(tmp_path: Path, *, told: bool) -> None:
    sides = _side(tmp_path / "t", ["a-1", "b-1"]), _side(tmp_path / "v", ["x", "y"])
    (tmp_path / "pairs.csv").write_text("text,video\na-1,a\nb-1,b\n")
    table = parse_source(tmp_path / "pairs.csv") if told else None
    with pytest.raises(ValueError, match="a"):
        read_pairs(*sides, table, partial=True)
