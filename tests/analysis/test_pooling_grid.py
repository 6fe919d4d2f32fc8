from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from moviola.analysis.grid_poolings import GRID
from moviola.analysis.pooling_grid import pooling_grid, write_grid
from moviola.cli.app import app
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, SpaceMismatchError, Span, Text
from moviola.evaluate import evaluate
from moviola.score import cosine

COUNT, DIMENSION = 60, 24


def _rows() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Tokens of captions, of which the first is the same for all, and frames of videos."""
    rng = np.random.default_rng(0)
    meant = rng.normal(size=(COUNT, DIMENSION))
    first = 3 * rng.normal(size=(1, DIMENSION))
    texts, videos = [], []
    for each in meant:
        tokens = each + 1.5 * rng.normal(size=(int(rng.integers(4, 9)), DIMENSION))
        texts.append(np.concatenate([first, tokens]).astype(np.float32))
        videos.append((each + rng.normal(size=(6, DIMENSION))).astype(np.float32))
    return texts, videos


def _embedded(model: str = "one") -> tuple[Embeddings[Text], Embeddings[Clip], Qrels]:
    texts, videos = _rows()
    spaces = Space("one", "", "", DIMENSION), Space(model, "", "", DIMENSION)
    return (
        Embeddings.from_rows(
            [Text(f"t{row}", "") for row in range(COUNT)], texts, spaces[0], Readout("none")
        ),
        Embeddings.from_rows(
            [Clip(f"v{row}", Path(), Span(0, 1)) for row in range(COUNT)],
            videos,
            spaces[1],
            Readout("none"),
        ),
        Qrels({f"t{row}": frozenset([f"v{row}"]) for row in range(COUNT)}),
    )


@pytest.fixture(scope="module")
def grid():
    return pooling_grid(*_embedded())


def test_a_cell_is_what_its_poolings_give(grid) -> None:
    texts, videos = _rows()

    def one_row(blocks: list[np.ndarray], function) -> list[np.ndarray]:
        return [function(block).astype(np.float32)[None] for block in blocks]

    by_hand = {
        "drop_first_mean": lambda rows: rows[1:].mean(axis=0),
        "last": lambda rows: rows[-1],
        "drop_first_position_weighted_mean": lambda rows: np.average(
            rows[1:], axis=0, weights=np.arange(1, len(rows))
        ),
    }
    whole, clips, qrels = _embedded()
    for text, of_text in by_hand.items():
        one = Embeddings.from_rows(whole.items, one_row(texts, of_text), whole.space, whole.readout)
        other = Embeddings.from_rows(
            clips.items,
            one_row(videos, lambda rows: rows.max(axis=0)),
            clips.space,
            clips.readout,
        )
        expected = evaluate(cosine(one, other), qrels, resamples=0)
        found = grid.cell("max", text).result
        assert found.t2v.aggregates == pytest.approx(dict(expected.t2v.aggregates))
        assert found.v2t.aggregates == pytest.approx(dict(expected.v2t.aggregates))


def test_every_pair_of_poolings_has_a_cell(grid) -> None:
    assert [(cell.video, cell.text) for cell in grid.cells] == [
        (video, text) for video in GRID for text in GRID
    ]


def test_sum_is_mean_by_construction(grid) -> None:
    assert grid.cell("sum", "max").same_as == ("mean", "max")
    assert grid.cell("max", "drop_first_sum").same_as == ("max", "drop_first_mean")
    assert grid.cell("mean", "mean").same_as is None
    same = grid.cell("sum", "sum"), grid.cell("mean", "mean")
    assert same[0].result.t2v.aggregates == same[1].result.t2v.aggregates
    assert "text pooling sum is mean: the cosine ignores scale" in grid.notes


def test_a_constant_first_token_is_chance_and_said_to_be(grid) -> None:
    chance = sum(1 / rank for rank in range(1, COUNT + 1)) / COUNT
    assert grid.chance == pytest.approx(chance)
    for video in GRID:
        cell = grid.cell(video, "first")
        assert cell.constant == ("texts",)
        assert cell.is_chance
        assert cell.result.t2v["MRR"] == pytest.approx(chance)
    assert not grid.cell("mean", "drop_first_mean").is_chance
    assert any("text pooling first: every text has the same vector" in each for each in grid.notes)


def test_one_row_an_item_makes_all_its_poolings_one() -> None:
    texts, clips, qrels = _embedded()
    single = Embeddings.from_rows(
        clips.items, [block[:1] for block in _rows()[1]], clips.space, clips.readout
    )
    grid = pooling_grid(texts, single, qrels)
    assert {cell.same_as for cell in grid.cells if cell.text == "mean"} == {
        None,
        ("first", "mean"),
    }
    pooled = Embeddings.from_rows(
        texts.items, [block[:1] for block in _rows()[0]], texts.space, texts.readout
    )
    with pytest.raises(ValueError, match="nothing to pool"):
        pooling_grid(pooled, single, qrels)


def test_two_spaces_are_refused_unless_that_was_asked_for() -> None:
    with pytest.raises(SpaceMismatchError):
        pooling_grid(*_embedded("other"))


def test_the_table_and_the_picture_are_written(grid, tmp_path: Path) -> None:
    table, picture = write_grid(grid, tmp_path / "new" / "grid")
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(GRID) ** 2
    first = next(
        row for row in rows if (row["video_pooling"], row["text_pooling"]) == ("sum", "first")
    )
    assert (first["same_as"], first["constant"]) == ("mean x first", "texts")
    assert first["t2v_is_chance"] == "true"
    assert float(first["t2v_MRR"]) == pytest.approx(grid.chance, rel=1e-5)
    with Image.open(picture) as image:
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 20


def test_the_command_reads_folders_and_writes_its_files(tmp_path: Path) -> None:
    texts, videos = _rows()
    (tmp_path / "texts").mkdir()
    (tmp_path / "videos").mkdir()
    for row in range(12):
        np.save(tmp_path / "texts" / f"video{row}-0.npy", texts[row])
        np.save(tmp_path / "videos" / f"video{row}.npy", videos[row])
    words = ["pooling-grid", "--texts", str(tmp_path / "texts"), "--videos"]
    words += [str(tmp_path / "videos"), "--out", str(tmp_path / "grid")]
    plain = CliRunner().invoke(app, words)
    assert plain.exit_code == 0, plain.output
    assert "the cosine ignores scale" in plain.output
    assert (tmp_path / "grid" / "heat_map.png").stat().st_size > 1000
    value = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert len(value["cells"]) == len(GRID) ** 2
    assert value["written"][0].endswith("results_dataframe.csv")


def test_the_sixteen_cells_of_the_report(tmp_path: Path) -> None:
    found = pooling_grid(*_embedded(), poolings=("first", "max", "mean", "sum"))
    assert found.names == ("first", "max", "mean", "sum")
    assert [(cell.video, cell.text) for cell in found.cells] == [
        (video, text) for video in found.names for text in found.names
    ]
    write_grid(found, tmp_path)
    with (tmp_path / "results_dataframe.csv").open() as table:
        assert len(list(csv.DictReader(table))) == 16


def test_a_pooling_of_ones_own_stands_in_the_grid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_grid_poolings.py").write_text(
        "def middle(rows):\n    return rows[len(rows) // 2]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    found = pooling_grid(*_embedded(), poolings=("own_grid_poolings:middle", "drop_first_min"))
    assert found.cell("own_grid_poolings:middle", "drop_first_min").result.t2v["MRR"] > found.chance
    with pytest.raises(ValueError, match="no pooling is called 'median'"):
        pooling_grid(*_embedded(), poolings=("mean", "median"))


@pytest.mark.parametrize("poolings", [[], ["--poolings", "first,max,mean,sum"]])
def test_the_table_fits_a_hundred_columns(tmp_path: Path, poolings: list[str]) -> None:
    texts, videos = _rows()
    (tmp_path / "texts").mkdir()
    (tmp_path / "videos").mkdir()
    for row in range(12):
        np.save(tmp_path / "texts" / f"video{row}-0.npy", texts[row])
        np.save(tmp_path / "videos" / f"video{row}.npy", videos[row])
    words = ["pooling-grid", "--texts", str(tmp_path / "texts"), "--videos"]
    words += [str(tmp_path / "videos"), "--out", str(tmp_path / "grid"), *poolings]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    head, *rows = done.stdout.splitlines()[1:][: 1 + (4 if poolings else len(GRID))]
    assert len(head.split()) == len(rows) == (4 if poolings else len(GRID))
    assert max(map(len, [head, *rows])) <= 100
