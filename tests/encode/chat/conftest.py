from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from safetensors.torch import load_file

from moviola.core import Frames, Span
from moviola.encode.chat.loading import load

FAMILIES = ["qwen2_5_vl", "qwen3_vl", "videollama3", "internvl"]
_OPTIONS = {"internvl": {"frames": 5}}


class ChatGolden:
    """Reference inputs and outputs of one tiny chat model."""

    def __init__(self, folder, family):
        self.folder, self.family = folder, family
        self.options = _OPTIONS.get(family, {})
        told = json.loads((folder / "golden.json").read_text())
        self.cases, self.media, self.texts = told["cases"], told["media"], told["texts"]
        self.tensors = load_file(folder / "tensors.safetensors")

    def __getitem__(self, name):
        return self.tensors[name]

    def load(self, **options):
        return load(str(self.folder), **{**self.options, **options})

    def file_times(self, video):
        media = self.media[video]
        return np.arange(media["frames"]) / float(Fraction(media["average_rate"]))

    def clip(self, video):
        """The frames of a case with the times they are shown at in the file."""
        times = self.file_times(video)[self[f"native.{video}.indices"].numpy()]
        return Frames(self[f"native.{video}.frames"].numpy(), times)

    def chosen(self, sampler, video):
        times = self.file_times(video)
        found = sampler.choose(Span(0, len(times)), times)
        return np.searchsorted(times, found).tolist()


@pytest.fixture(scope="session", params=FAMILIES)
def chat_golden(request, shared_data):
    folder = shared_data / "video_llm_golden" / f"vidvec_{request.param}"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    return ChatGolden(folder, request.param)
