"""The golden sets of Qwen3-VL, and a tiny random model with a tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from fixtures.qwen3_vl import save_qwen3_vl
from moviola.core import Frames


@dataclass
class Golden:
    """A golden set: the checkpoint's folder, its cases, and their tensors."""

    folder: Path
    cases: dict
    texts: list
    tensors: dict

    def frames(self, video, indices, rate):
        native = self.tensors[f"native.{video}.indices"].tolist()
        stored = self.tensors[f"native.{video}.frames"]
        pixels = np.stack([stored[native.index(number)] for number in indices])
        return Frames(pixels, np.array(indices, np.float64) / rate)

    def clip(self, case):
        """The frames of a case whose video is a file."""
        (video,) = self.cases[case]["videos"]
        name = video["video"].replace("v", "video").removesuffix(".mp4")
        return self.frames(name, video["frames_indices"], video["fps"])

    def listed(self):
        """Seven frames of a video, as a list of pictures."""
        return self.frames("video1", np.rint(np.linspace(0, 106, 7)).astype(int).tolist(), 25.0)

    def picture(self, number):
        return np.array(Image.open(self.folder / "images" / f"i{number}.png").convert("RGB"))


def read_golden(folder):
    told = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    tensors = load_file(folder / "tensors.safetensors")
    return Golden(folder, told["cases"], told["texts"], tensors)


@pytest.fixture(scope="session")
def embedding_golden(shared_data):
    return read_golden(shared_data / "video_llm_golden" / "qwen3_vl_embedding")


@pytest.fixture(scope="session")
def reranker_golden(shared_data):
    return read_golden(shared_data / "video_llm_golden" / "qwen3_vl_reranker")


@pytest.fixture(scope="session")
def stock(tmp_path_factory):
    """A tiny random Qwen3-VL of transformers, and the folder that it was saved to."""
    place = tmp_path_factory.mktemp("qwen3vl")
    return save_qwen3_vl(place), place
