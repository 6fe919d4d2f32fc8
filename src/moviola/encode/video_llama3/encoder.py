"""VideoLLaMA 3 (Zhang et al., arXiv 2501.13106) as an encoder, read by any readout.

Its middle layers are the best of five video language models for retrieval without training, as
"VidVec" (arXiv 2602.08099) reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from moviola.core import Frames, Precision, RateSampler, Space
from moviola.encode.decoder.encoder import DecoderEncoder
from moviola.encode.decoder.inputs import DecoderInputs, Kind, Piece, assemble
from moviola.encode.decoder.presets import DEFAULT, PRESETS, asked_readouts
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.hub import MODEL_FILES, fetch, weight_files
from moviola.encode.runtime.loading import load_strictly, weights_digest
from moviola.encode.runtime.precision import DTYPES, best_device, weights_precision
from moviola.encode.runtime.tokenizers import load_tokenizer
from moviola.encode.video_llama3.patches import PatchProcessor

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, VideoLlama3ForConditionalGeneration

#: Frames a second, and at most: those of the published processors.
RATE, AT_MOST = 1.0, 128
_TIED = frozenset({"lm_head.weight"})


class VideoLlama3Backbone:
    """A VideoLLaMA 3 of transformers.

    Args:
        model: the weights.
        tokenizer: of its language model.
        patches: how frames are prepared.
        space: of exactly these weights.
        at_most: frames of a clip.
        precision: of the weights.
    """

    def __init__(
        self,
        model: VideoLlama3ForConditionalGeneration,
        tokenizer: PreTrainedTokenizerBase,
        patches: PatchProcessor,
        space: Space,
        *,
        at_most: int = AT_MOST,
        precision: Precision = "float32",
    ) -> None:
        self._model: Any = model.model
        self.tokenizer = tokenizer
        self.precision: Precision = precision
        self._patches = patches
        self._space = space
        self._sampler = RateSampler(RATE, at_most)

    @property
    def space(self) -> Space:
        """Return the space of its hidden states."""
        return self._space

    @property
    def depth(self) -> int:
        """Return the number of layers of the language model."""
        return len(self._model.language_model.layers)

    @property
    def sampler(self) -> RateSampler:
        """Return the sampler: a frame a second."""
        return self._sampler

    @property
    def sound(self) -> None:
        """Return None: it hears nothing."""
        return

    @property
    def preprocessing(self) -> str:
        """Tell how frames become patches."""
        return self._patches.spec

    def decoder(self) -> nn.Module:
        """Return the layers of the language model."""
        return self._model.language_model

    def inputs(self, rows: Sequence[Sequence[Piece]]) -> DecoderInputs:
        """Assemble rows of pieces as the language model reads them."""
        return assemble(rows, self._model.get_input_embeddings())

    def pieces(self, clips: Sequence[Frames]) -> list[list[Piece]]:
        """Make for every frame the words that tell its time, and its vectors."""
        return run_batched(self._see, clips, 1)

    def timing(self, clip: Frames) -> str:
        """Return no words: the frames tell their times themselves."""
        del clip
        return ""

    @torch.inference_mode()
    def _see(self, clips: Sequence[Frames]) -> list[list[Piece]]:
        (clip,) = clips
        seen = self._patches(clip.pixels)
        device = self._model.get_input_embeddings().weight.device
        vectors = self._model.get_video_features(
            pixel_values_videos=seen.values.to(device),
            video_grid_thw=torch.tensor([seen.grid], device=device),
            video_merge_sizes=torch.tensor([self._patches.merge], device=device),
            return_dict=True,
        ).pooler_output[0]
        # One frame after the other, each with as many vectors as there are merged patches.
        frames = vectors.unflatten(0, seen.kept.shape)
        row: list[Piece] = []
        for place, (time, own, kept) in enumerate(zip(clip.times, frames, seen.kept, strict=True)):
            words = f"{',' if place else ''}Time {time - clip.times[0]:.1f}s:"
            ids = self.tokenizer(words, add_special_tokens=False).input_ids
            row += [Piece(Kind.PROMPT, tuple(ids)), Piece(Kind.VIDEO, own[kept.to(device)])]
        return [row]


def load(
    model: str,
    revision: str | None = None,
    *,
    readout: str | Sequence[str] = DEFAULT,
    layers: str | int = "",
    pooling: str | Sequence[str] = (),
    frames: int = AT_MOST,
    precision: Precision | None = None,
) -> DecoderEncoder:
    """Load VideoLLaMA 3 in transformers' own layout, from the hub or a folder.

    Args:
        model: an id such as `lkhl/VideoLLaMA3-2B-Image-HF`, or a folder.
        revision: a commit, branch or tag.
        readout: names of readouts; see `readout_presets.PRESETS`.
        layers: hidden states in place of the readouts' own, such as `all` or `0,8,16-24`.
        pooling: names of poolings in place of the readouts' own.
        frames: of a clip at most; one a second.
        precision: `"float32"` or `"bfloat16"`; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights are neither here nor to be had, or do not fit.
        ValueError: when there is no such readout, layer or pooling.
    """
    from transformers import VideoLlama3ForConditionalGeneration

    checkpoint = fetch(model, MODEL_FILES, revision)
    folder = checkpoint.folder
    loaded: Any = load_strictly(VideoLlama3ForConditionalGeneration, folder, ignored=_TIED)
    device = best_device()
    settled = weights_precision(precision, device)
    loaded.to(device=device, dtype=DTYPES[settled])
    space = Space(
        model=checkpoint.model,
        revision=checkpoint.revision,
        weights=weights_digest(weight_files(folder)),
        dimension=loaded.config.text_config.hidden_size,
    )
    backbone = VideoLlama3Backbone(
        loaded,
        load_tokenizer(folder),
        PatchProcessor.from_folder(folder),
        space,
        at_most=frames,
        precision=settled,
    )
    asked = asked_readouts(
        PRESETS, backbone.depth, readout=readout, layers=str(layers), pooling=pooling
    )
    return DecoderEncoder(backbone, asked)
