"""An input module of sentence-transformers around a real video-text model.

The modules that sentence-transformers brings need torchvision for video; this one needs only torch.
"""

from __future__ import annotations

import os

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from transformers import AutoTokenizer, VideoPrismClipModel

from moviola.core import Space, UniformSampler
from moviola.encode.sentence_transformer.encoder import SentenceTransformerEncoder


class VideoModule(InputModule):
    """Texts and videos to vectors, without torchvision."""

    def __init__(self, folder):
        super().__init__()
        self.model = VideoPrismClipModel.from_pretrained(folder).eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.calls = []

    @property
    def modalities(self):
        return ["text", "video"]

    def preprocess(self, inputs, prompt=None, processing_kwargs=None, **_):
        self.calls.append((inputs, prompt, processing_kwargs))
        values = [next(iter(each.values())) for each in inputs]
        if "video" in inputs[0]:
            frames = [torch.from_numpy(value["array"]) for value in values]
            small = [
                torch.nn.functional.interpolate(each.float(), (36, 36)) / 255 for each in frames
            ]
            return {"pixels": torch.stack(small)}
        words = self.tokenizer(
            [(prompt or "") + value for value in values],
            padding="max_length",
            truncation=True,
            max_length=16,
            return_tensors="pt",
        )
        return {"ids": words["input_ids"], "mask": words["attention_mask"]}

    def forward(self, features, **_):
        if "pixels" in features:
            found = self.model.get_video_features(
                features["pixels"], interpolate_pos_encoding=True
            ).pooler_output[:, 0]
        else:
            found = self.model.get_text_features(
                input_ids=features["ids"], attention_mask=features["mask"]
            ).pooler_output
        return {**features, "sentence_embedding": 3 * found}

    def save(self, *_, **__):
        raise NotImplementedError


def load():
    """An encoder of the checkpoint that `TINY_FOLDER` names, for `--model video_module:load`."""
    model = SentenceTransformer(modules=[VideoModule(os.environ["TINY_FOLDER"])])
    space = Space("tiny", "1", "0", 32)
    return SentenceTransformerEncoder(model, space, sampler=UniformSampler(4), settings="0")
