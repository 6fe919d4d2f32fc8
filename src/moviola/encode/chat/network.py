"""Run the parts of a chat model: its language model, and its vision tower once a clip comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.loading import read_model_config
from moviola.encode.runtime.parts import TensorIndex
from moviola.encode.runtime.precision import DTYPES, best_device, weights_precision
from moviola.encode.runtime.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from moviola.core.abilities import Precision

_LANGUAGE = ("model.language_model.", "language_model.model.", "language_model.", "model.")
"""Prefixes of the language model's tensors, in checkpoints of several ages."""
_HEAD = ("lm_head.", "language_model.lm_head.")
_WORDS = "embed_tokens.weight"


@dataclass(frozen=True, slots=True)
class ChatKind:
    """The classes of one architecture in transformers.

    Attributes:
        name: of the architecture.
        config: name of the class of its configuration.
        model: name of the class that holds its language model and its vision tower.
        towers: attributes of that class that see.
    """

    name: str
    config: str
    model: str
    towers: tuple[str, ...]


class ChatNetwork:
    """The parts of a chat model's checkpoint, stock modules of transformers.

    The language model is loaded at once. No byte of the vision tower is loaded before a clip is
    seen, and none of the layer of words before an answer is read.

    Args:
        folder: the checkpoint.
        kind: its architecture.
        precision: of the weights; None for bfloat16 on a GPU and float32 elsewhere.

    Raises:
        WeightsUnavailableError: when the weights, or the tokenizer, are not there or do not fit.
    """

    def __init__(self, folder: Path, kind: ChatKind, precision: Precision | None = None) -> None:
        import transformers
        from transformers import AutoModel

        self.folder = folder
        self.config: Any = read_model_config(folder, getattr(transformers, kind.config), kind.name)
        self.tokenizer = load_tokenizer(folder)
        self.device = best_device()
        self.precision: Precision = weights_precision(precision, self.device)
        self._kind = kind
        self._tensors = TensorIndex.of_folder(folder)
        prefix = self._prefix(_LANGUAGE, _WORDS)
        self._towers = {name: self._prefix((f"model.{name}.", f"{name}.")) for name in kind.towers}
        self._head_prefix = self._prefix(_HEAD, "weight")
        self._tensors.require_parts([prefix, *self._towers.values(), self._head_prefix])
        self.language, self._digest = self._load(
            lambda: AutoModel.from_config(self.config.text_config), prefix
        )
        self._model: Any = None
        self._head: nn.Module | None = None
        self._lock = Lock()

    @property
    def weights(self) -> str:
        """Return a digest of the language model, and of names, shapes and samples of the rest."""
        return f"{self._tensors.digest[:16]}{self._digest[:16]}"

    @property
    def head(self) -> nn.Module:
        """Return the layer from states to words; this loads it, where it has weights of its own."""
        if self._head is None:
            self._head = self._load_head()
        return self._head

    @property
    def model(self) -> Any:
        """Return the model that sees, around the same language model; this loads its towers."""
        with self._lock:
            if self._model is None:
                self._model = self._load_towers()
        return self._model

    def see(self, values: Tensor, grid: Sequence[int], **further: Any) -> Any:
        """Map the patches `(N, D)` of one clip to what the model makes of them.

        Args:
            values: of the patches.
            grid: groups of frames, rows and columns of patches.
            further: what else the model takes.
        """
        return self.model.get_video_features(
            pixel_values_videos=values.to(self.device),
            video_grid_thw=torch.tensor([grid], device=self.device),
            return_dict=True,
            **further,
        )

    def see_frames(self, values: Tensor) -> Any:
        """Map pixels `(T, 3, H, W)` of single frames to what the model makes of them."""
        return self.model.get_image_features(pixel_values=values.to(self.device), return_dict=True)

    def _load_head(self) -> nn.Module:
        words: Tensor = self.language.embed_tokens.weight
        if f"{self._head_prefix}weight" in self._tensors.places:
            return self._load(
                lambda: nn.Linear(words.shape[1], words.shape[0], bias=False), self._head_prefix
            )[0]
        if not (self.config.tie_word_embeddings or self.config.text_config.tie_word_embeddings):
            raise WeightsUnavailableError(
                f"{display_path(self.folder)} has no layer of words (lm_head.weight), and its "
                f"config.json does not tie one to the embeddings of words: it cannot answer"
            )
        head = nn.Linear(words.shape[1], words.shape[0], bias=False, device="meta")
        head.weight = nn.Parameter(words, requires_grad=False)
        return head

    def _load_towers(self) -> Any:
        """Load what sees, and put the language model that is loaded beside it."""
        import transformers
        from transformers.initialization import no_init_weights

        with no_init_weights():
            # Memory that nobody writes to is not taken: the second language model costs nothing.
            model: Any = getattr(transformers, self._kind.model)(self.config)
        model.language_model = self.language
        for name, prefix in self._towers.items():
            self._load(lambda name=name: getattr(model, name), prefix)
        return model.eval()

    def _load(self, make: Any, prefix: str) -> tuple[Any, str]:
        return self._tensors.load(make, prefix, dtype=DTYPES[self.precision], device=self.device)

    def _prefix(self, known: Sequence[str], name: str = "") -> str:
        """Find the prefix under which the checkpoint stores a part; the first if it has none."""
        for prefix in known:
            if any(place.startswith(prefix + name) for place in self._tensors.places):
                return prefix
        return known[0]
