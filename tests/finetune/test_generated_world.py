"""A small CLIP learns the generated world from random weights, through the command line."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from moviola.align.training.history import measured
from moviola.cli.app import app
from moviola.plugins import load_dataset, load_encoder
from moviola.synthetic.shapes.facts import Claim
from moviola.synthetic.shapes.grammar import detailed_clause, say, vocabulary
from moviola.synthetic.shapes.writing import draw, write_video
from moviola.video import ClipRead, DecodePool, GivenSegmenter, ReadRequest

SIDE, WIDTH = 32, 96


def save_random_clip(folder: Path) -> None:
    """Write 0.4 million random weights, a tokenizer of the world's words, and a processor."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast

    special = {"pad_token": "<pad>", "bos_token": "<start>", "eos_token": "<end>",
               "unk_token": "<unknown>"}  # fmt: skip
    words = {word: number for number, word in enumerate([*special.values(), *vocabulary()])}
    tokenizer = Tokenizer(models.WordLevel(words, special["unk_token"]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<start> $A <end>", special_tokens=[("<start>", 1), ("<end>", 2)]
    )
    layers = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, "num_attention_heads": 4}
    ends = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
    torch.manual_seed(0)
    model = CLIPModel(
        CLIPConfig(
            text_config={**layers, **ends, "num_hidden_layers": 2, "vocab_size": len(words),
                         "max_position_embeddings": 32},
            vision_config={**layers, "num_hidden_layers": 3, "image_size": SIDE, "patch_size": 8},
            projection_dim=64,
        )
    )  # fmt: skip
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    processor = {"size": SIDE, "crop_size": SIDE, "do_center_crop": True, "resample": 3,
                 "image_mean": [0.5] * 3, "image_std": [0.5] * 3}  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))


def write_shots(root: Path, split: str, videos: int, captions: int) -> Path:
    """Write videos, and a table of captions of each of their shots."""
    root.mkdir()
    rng = np.random.default_rng(videos)
    with (root / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["video", "start", "end", "caption"])
        for number in range(videos):
            video = draw(3, split, number)
            write_video(root / f"{video.id}.mp4", video.takes, 64)
            for take, (start, end) in zip(video.takes, video.spans, strict=True):
                for _ in range(captions):
                    words = say(rng, Claim((detailed_clause(rng, take.shot),)))
                    table.writerow([video.id, start, end, words])
    return root / "captions.csv"


def recall_at_1(model: str, table: Path) -> float:
    """Percent of the captions whose own shot comes first among all."""
    encoder, data = load_encoder(model), load_dataset("table", table, "all")
    place = {clip.id: row for row, clip in enumerate(data.clips)}
    rows: dict[int, np.ndarray] = {}
    with DecodePool() as pool:
        for event in pool.read(
            ReadRequest(row, clip.path, GivenSegmenter((clip.span,)), encoder.sampler)
            for row, clip in enumerate(data.clips)
        ):
            if isinstance(event, ClipRead):
                rows[int(event.key)] = encoder.encode_videos([event.frames])[0]
    clips = np.concatenate([rows[row] for row in range(len(rows))])
    texts = np.concatenate(encoder.encode_texts([text.text for text in data.texts]))
    owner = np.array([place[next(iter(data.qrels.relevant[t.id]))] for t in data.texts])
    return measured(texts, clips, owner)["R@1"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_from_chance_to_half_of_the_shipped_encoder(tmp_path, monkeypatch):
    threads = torch.get_num_threads()
    # Matrices this small gain nothing by a second thread, and lose much when it has to wait.
    torch.set_num_threads(1)
    try:
        train = write_shots(tmp_path / "train", "train", 500, 5)
        test = write_shots(tmp_path / "test", "test", 60, 2)
        save_random_clip(tmp_path / "random")
        done = CliRunner().invoke(
            app,
            f"finetune {train} --split all --model two-tower:{tmp_path}/random --method full "
            f"--out {tmp_path}/tuned --frames 4 --epochs 30 --batch 96 --chunk 96 --lr 1.5e-3",
        )
        assert done.exit_code == 0, done.output
        model = re.search(r"--model (\S+)", done.output)[1]
        before = recall_at_1(f"two-tower:{tmp_path}/random,frames=4", test)
        after, shipped = recall_at_1(model, test), recall_at_1("shapes", test)
    finally:
        torch.set_num_threads(threads)
    reached = f"before {before:.1f}, after {after:.1f}, shipped {shipped:.1f}"
    clips = len(load_dataset("table", test, "all").clips)
    assert before < 4 * 100 / clips, reached
    assert after >= 0.5 * shipped, reached
