"""Run EmbeddingGemma 2: its language model, and other towers once something is seen or heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from moviola.core.abilities import Precision
from moviola.encode.embedding_gemma.patches import PaddedPatches
from moviola.encode.runtime.batching import run_packed
from moviola.encode.runtime.loading import read_model_config
from moviola.encode.runtime.parts import TensorIndex
from moviola.encode.runtime.precision import DTYPES, best_device, weights_precision
from moviola.encode.runtime.preprocessing import stored_config
from moviola.encode.runtime.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PARTS = ("language_model.", "vision_tower.", "embed_vision.", "audio_tower.", "embed_audio.")
_TOKENS = {"cpu": 8_192, "cuda": 65_536}
"""Tokens of a batch, padding included; a longer prompt goes alone."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in tokens.

    Attributes:
        ids: `(L,)` of the tokens.
        vectors: `(N, D)` in place of the tokens that stand for what is seen and heard, in their
            order.
    """

    ids: Tensor
    vectors: Tensor | None = None


class EmbeddingGemma:
    """The parts of an EmbeddingGemma 2 checkpoint, stock modules of transformers.

    The language model is loaded at once. No byte of the vision tower is read before something is
    seen, none of the sound tower before something is heard.

    Args:
        folder: the checkpoint.
        precision: of the weights; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights, or the tokenizer, are not there or do not fit.
    """

    def __init__(self, folder: Path, *, precision: Precision | None = None) -> None:
        from transformers import EmbeddingGemma2Config, EmbeddingGemma2TextModel

        self.folder = folder
        self.config = read_model_config(folder, EmbeddingGemma2Config, "EmbeddingGemma 2")
        self.tokenizer = load_tokenizer(folder)
        self.device = best_device()
        self.precision: Precision = weights_precision(precision, self.device)
        self.tensors = TensorIndex.of_folder(folder)
        self.tensors.require_parts(_PARTS)
        text: Any = self.config.text_config
        self.language, self._digest = self._load(lambda: EmbeddingGemma2TextModel(text), _PARTS[0])
        self.width: int = text.embedding_dim
        self._towers: dict[str, tuple[nn.Module, nn.Module, str]] = {}
        self._lock = Lock()
        config: Any = self.config
        self.image_id: int = config.image_token_id
        self.video_id: int = config.video_token_id
        self.audio_id: int = config.audio_token_id

    @property
    def weights(self) -> str:
        """Return a digest of the language model, and of the names and shapes of all weights."""
        return f"{self.tensors.digest[:16]}{self._digest[:16]}"

    @torch.inference_mode()
    def see(self, patches: PaddedPatches) -> Tensor:
        """Map pictures in patches to vectors `(T * vectors, D)`."""
        tower, project, _ = self._tower("vision")
        values = patches.values.to(self.device, DTYPES[self.precision])
        seen: Any = tower(pixel_values=values, pixel_position_ids=patches.places.to(self.device))
        return project(inputs_embeds=seen.last_hidden_state)

    def see_all(self, clips: Sequence[PaddedPatches]) -> list[Tensor]:
        """Map the frames of clips of any sizes, together, to vectors `(T * vectors, D)` each."""
        # Every picture is padded to the same number of patches.
        values, places = (
            torch.cat([getattr(clip, name) for clip in clips]) for name in ("values", "places")
        )
        seen = self.see(PaddedPatches(values, places, 0))
        return list(seen.split([len(clip.values) * clip.vectors for clip in clips]))

    @torch.inference_mode()
    def hear(self, samples: NDArray[np.float32]) -> Tensor:
        """Map sound `(N,)` of 16,000 samples a second to vectors `(n, D)`."""
        features, mask = self.mel(samples)
        tower, project, _ = self._tower("audio")
        heard: Any = tower(
            features.to(self.device, DTYPES[self.precision]), mask.to(self.device), return_dict=True
        )
        return project(inputs_embeds=heard.last_hidden_state)[heard.attention_mask]

    def mel(self, samples: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        """Map sound `(N,)` to its log-mel spectrogram `(1, T, 128)` and which of it counts."""
        from transformers import Gemma4AudioFeatureExtractor

        extract = Gemma4AudioFeatureExtractor(**stored_config(self.folder, "feature_extractor"))
        found: Any = extract([samples], return_tensors="np")
        features = torch.from_numpy(np.asarray(found["input_features"], np.float32))
        return features, torch.from_numpy(np.asarray(found["input_features_mask"], bool))

    def mean_states(self, prompts: Sequence[Prompt]) -> Tensor:
        """Read the means `(N, D)` float32 over all tokens of prompts."""
        most = _TOKENS.get(self.device.type, _TOKENS["cpu"])
        lengths = [len(prompt.ids) for prompt in prompts]
        rows = run_packed(self._read, prompts, lengths, most)
        return torch.stack(rows) if rows else torch.zeros(0, self.width)

    @torch.inference_mode()
    def _read(self, prompts: Sequence[Prompt]) -> list[Tensor]:
        """Read the means over the tokens of one batch, padded on the right."""
        lengths = torch.tensor([len(prompt.ids) for prompt in prompts], device=self.device)
        ids = pad_sequence([prompt.ids for prompt in prompts], batch_first=True).to(self.device)
        mask = torch.arange(ids.shape[1], device=self.device) < lengths[:, None]
        text: Any = self.config.text_config
        marks = torch.tensor([self.image_id, self.video_id, self.audio_id], device=self.device)
        stands = torch.isin(ids, marks) & mask
        # The stock model looks marks up as padding, since some are beyond its words.
        inputs = self.language.embed_tokens(torch.where(stands, text.pad_token_id, ids))
        given = torch.tensor([prompt.vectors is not None for prompt in prompts], device=self.device)
        vectors = [prompt.vectors for prompt in prompts if prompt.vectors is not None]
        if vectors:
            inputs[stands & given[:, None]] = torch.cat(vectors)
        found: Any = self.language(inputs_embeds=inputs, attention_mask=mask.long())
        states = found.last_hidden_state.float()
        return [row[:length].mean(0) for row, length in zip(states, lengths.tolist(), strict=True)]

    def _tower(self, kind: str) -> tuple[nn.Module, nn.Module, str]:
        """Load the tower `"vision"` or `"audio"` and its projection on their first use."""
        from transformers import AutoModel
        from transformers.models.embedding_gemma2.modeling_embedding_gemma2 import (
            EmbeddingGemma2MultimodalEmbedder,
        )

        with self._lock:
            if kind not in self._towers:
                config: Any = getattr(self.config, f"{kind}_config")
                text: Any = self.config.text_config
                tower, first = self._load(lambda: AutoModel.from_config(config), f"{kind}_tower.")
                project, second = self._load(
                    lambda: EmbeddingGemma2MultimodalEmbedder(config, text), f"embed_{kind}."
                )
                self._towers[kind] = tower, project, f"{first[:16]}{second[:16]}"
        return self._towers[kind]

    def _load(self, make: Callable[[], Any], prefix: str) -> tuple[Any, str]:
        return self.tensors.load(make, prefix, dtype=DTYPES[self.precision], device=self.device)
