"""The recipe of `docs/vidvec.md`, stage by stage, through the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from fixtures.qwen3_vl import save_qwen3_vl
from fixtures.text_pairs import WORDS, write_pairs
from moviola.cli.app import app
from moviola.synthetic.shapes import draw
from moviola.synthetic.shapes.writing import write_video

PAGE = Path(__file__).resolve().parents[2] / "docs" / "vidvec.md"


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    # Matrices this small gain nothing by a second thread, and lose much when it has to wait.
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def run(command):
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_stage_runs_as_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_qwen3_vl(tmp_path / "FOLDER", WORDS, end=False, width=64, layers=2)
    write_pairs(tmp_path / "pairs.csv", 200)
    (tmp_path / "VIDEOS").mkdir()
    for number in range(3):
        write_video(tmp_path / "VIDEOS" / f"v{number}.mp4", draw(3, "test", number).takes[:1], 48)
    told = [
        command.replace("videollama3:", "qwen3-vl:").replace(
            "a dog catches a frisbee", "a red star"
        )
        for command in re.findall(
            r"^\$ moviola (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
        )
    ]
    assert [command.split()[0] for command in told] == [
        "layer-sweep", "finetune", "index", "search",
    ]  # fmt: skip
    ranked = json.loads(run(f"{told[0]} --json"))
    assert len(ranked["layers"]) == 3
    trained = json.loads(
        run(f"{told[1]} --json --rank 16 --epochs 5 --batch 64 --chunk 64 --lr 3e-3")
    )
    assert trained["losses"][-1] < trained["losses"][0]
    assert trained["after"]["MRR"] > trained["before"]["MRR"]
    run(f"{told[2]} --library here --segment whole")
    moments = json.loads(run(f"{told[3]} --library here --json"))
    assert len(moments) == 3
    scores = [moment["rerank"] for moment in moments]
    assert scores == sorted(scores, reverse=True)
