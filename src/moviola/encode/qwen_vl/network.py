"""Run a Qwen3-VL: its language model, and the vision tower once a picture comes."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from moviola.core.abilities import Precision
from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.qwen_vl.patches import Patches, PatchProcessor
from moviola.encode.qwen_vl.positions import count_positions
from moviola.encode.qwen_vl.prompts import IMAGE_PAD, VIDEO_PAD
from moviola.encode.runtime.batching import run_packed
from moviola.encode.runtime.loading import read_model_config
from moviola.encode.runtime.parts import TensorIndex
from moviola.encode.runtime.precision import DTYPES, best_device, weights_precision
from moviola.encode.runtime.tokenizers import load_tokenizer

if TYPE_CHECKING:
    from transformers import Qwen3VLTextModel, Qwen3VLVisionModel

HEAD = "lm_head.weight"
"""The only weight that a checkpoint may have or lack: absent from the 8B embedding model, tied to
the embeddings of words in the 2B ones."""
_ROOTS = ("model.", "")
"""Prefixes of the names of both parts in checkpoints: as models that write, and without."""
_LANGUAGE, _VISION = "language_model.", "visual."
_TOKENS = {"cpu": 8_192, "cuda": 65_536}
"""Tokens of a batch, padding included; a longer prompt goes alone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The vectors of a clip or a picture.

    Attributes:
        patches: what was seen, without its values.
        merged: `(N, D)`, in place of the prompt's pads.
        deepstack: `(N, D)` each, added at the pads after the first layers.
    """

    patches: Patches
    merged: Tensor
    deepstack: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt in tokens, and what its pads stand for.

    Attributes:
        ids: `(L,)` of the tokens.
        positions: `(3, L)` in time, rows and columns.
        seen: clips and pictures in the order of their pads.
    """

    ids: Tensor
    positions: Tensor
    seen: tuple[Seen, ...] = ()


class Qwen3VLNetwork:
    """The two parts of a Qwen3-VL checkpoint, stock modules of transformers.

    The language model is loaded at once; of the vision tower no byte is read before a picture is
    seen.

    Args:
        folder: the checkpoint.
        precision: of the weights; None for bfloat16 on a GPU and float32 elsewhere.

    Attributes:
        processed: tokens and vectors that went through the language model so far.

    Raises:
        WeightsUnavailableError: when the weights, or the tokenizer, are not there or do not fit.
    """

    def __init__(self, folder: Path, *, precision: Precision | None = None) -> None:
        from transformers import Qwen3VLConfig, Qwen3VLTextModel

        self.config = read_model_config(folder, Qwen3VLConfig, "Qwen3-VL")
        self.tokenizer = load_tokenizer(folder)
        self.device = best_device()
        self.precision: Precision = weights_precision(precision, self.device)
        self.tensors = TensorIndex.of_folder(folder)
        words = "embed_tokens.weight"
        places = (root for root in _ROOTS if f"{root}{_LANGUAGE}{words}" in self.tensors.places)
        self._root = next(places, _ROOTS[0])
        self.tensors.require_parts([self._root + _LANGUAGE, self._root + _VISION], allowed=(HEAD,))
        text: Any = self.config.text_config
        language, self._digest = self.tensors.load(
            lambda: Qwen3VLTextModel(text),
            self._root + _LANGUAGE,
            dtype=DTYPES[self.precision],
            device=self.device,
        )
        self.language: Qwen3VLTextModel = language
        self._vision: tuple[Qwen3VLVisionModel, str] | None = None
        self._lock = Lock()
        self.processed = 0
        vision: Any = self.config.vision_config
        self.patches = PatchProcessor(
            vision.patch_size, vision.spatial_merge_size, vision.temporal_patch_size
        )
        ids = self.tokenizer.convert_tokens_to_ids
        self.pads: frozenset[int] = frozenset({ids(VIDEO_PAD), ids(IMAGE_PAD)})

    @property
    def weights(self) -> str:
        """Return a digest of the language model, and of the names and shapes of all weights."""
        return f"{self.tensors.digest[:16]}{self._digest[:16]}"

    @property
    def vision(self) -> Qwen3VLVisionModel:
        """Return the vision tower; this loads it."""
        return self._loaded_vision()[0]

    @property
    def width(self) -> int:
        """Return the length of a state."""
        text: Any = self.config.text_config
        return text.hidden_size

    @property
    def batch_tokens(self) -> int:
        """Return the tokens of a batch at most, padding included."""
        return _TOKENS.get(self.device.type, _TOKENS["cpu"])

    def word_rows(self, words: Sequence[str]) -> Tensor:
        """Return the rows `(N, D)` float32 of the output head for one-token words.

        Raises:
            WeightsUnavailableError: when a word is no token, or the head is neither stored nor
                tied to the embeddings of words.
        """
        ids = [self.tokenizer(word, add_special_tokens=False).input_ids for word in words]
        # The head's own rows, whatever the tokenizer adds behind a text.
        found = [self.tokenizer.convert_tokens_to_ids(word) for word in words]
        if any(one is None or one not in some for one, some in zip(found, ids, strict=True)):
            raise WeightsUnavailableError(
                f"the tokenizer in {display_path(self.tensors.folder)} does not know {words} as "
                f"tokens"
            )
        if HEAD in self.tensors.places:
            rows = self.tensors.tensor(HEAD, found)
        elif self.config.tie_word_embeddings:
            rows = self.language.embed_tokens.weight[found]
        else:
            raise WeightsUnavailableError(
                f"{display_path(self.tensors.folder)} has no output head ({HEAD}), and its "
                f"config.json does not tie one to the embeddings of words: it is no reranker"
            )
        return rows.float().to(self.device)

    def see(self, patches: Patches) -> Seen:
        """Map patches to vectors, on the device of the language model."""
        return self.see_all([patches])[0]

    @torch.inference_mode()
    def see_all(self, several: Sequence[Patches]) -> list[Seen]:
        """Map patches of clips and pictures of any sizes, at least one, to vectors in one pass."""
        values = torch.cat([each.values for each in several])
        values = values.to(self.device, DTYPES[self.precision])
        grid = torch.tensor([each.grid for each in several], device=self.device)
        seen: Any = self.vision(values, grid_thw=grid, return_dict=True)
        counts = [each.grid[0] * each.vectors for each in several]
        merged = seen.pooler_output.split(counts)
        levels = zip(*(level.split(counts) for level in seen.deepstack_features), strict=True)
        deep = list(levels) or [()] * len(several)
        return [
            Seen(Patches(values.new_empty(0), each.grid, each.cells, each.times), own, stack)
            for each, own, stack in zip(several, merged, deep, strict=True)
        ]

    def tokenize(
        self, prompt: str, seen: Sequence[Seen] = (), *, length: int | None = None
    ) -> Prompt:
        """Tokenize a whole prompt, with whatever the checkpoint's tokenizer adds.

        Args:
            prompt: with a pad for every vector.
            seen: what the pads stand for, in their order.
            length: tokens at most of a prompt without pictures; a longer one loses its end.

        Raises:
            ValueError: when the prompt has other pads than `seen` has vectors.
        """
        clean = prompt.encode(errors="replace").decode()
        cut = {} if seen or length is None else {"truncation": True, "max_length": length}
        ids: list[int] = self.tokenizer(clean, **cut).input_ids
        pads: Collection[int] = self.pads if seen else ()
        cells = [each.patches.cells for each in seen for _ in range(each.patches.grid[0])]
        return Prompt(torch.tensor(ids), count_positions(ids, pads, cells), tuple(seen))

    def last_states(self, prompts: Sequence[Prompt], shared: int = 0) -> Tensor:
        """Read the states `(N, D)` float32 at the last tokens of prompts, after the final norm.

        Args:
            prompts: N of them.
            shared: tokens that all of them begin with, none of which stands for vectors; they are
                processed once.
        """
        lengths = [len(prompt.ids) - shared for prompt in prompts]
        start = self._process(prompts[0], shared) if shared else None

        def read(batch: Sequence[Prompt]) -> list[Tensor]:
            return self._read(batch, shared, start)

        rows = run_packed(read, prompts, lengths, self.batch_tokens)
        self.processed += shared + sum(lengths)
        return torch.stack(rows) if rows else torch.zeros(0, self.width)

    @torch.inference_mode()
    def _process(self, prompt: Prompt, count: int) -> Any:
        """Process the first tokens of a prompt to their keys and values."""
        found: Any = self.language(
            inputs_embeds=self.language.embed_tokens(prompt.ids[None, :count].to(self.device)),
            position_ids=prompt.positions[:, None, :count].to(self.device),
            use_cache=True,
        )
        return found.past_key_values

    @torch.inference_mode()
    def _read(self, prompts: Sequence[Prompt], shared: int, start: Any) -> list[Tensor]:
        """Read the last states of one batch, padded on the right.

        Args:
            prompts: of the batch.
            shared: tokens of each that are processed.
            start: the keys and values of those; None for none.
        """
        tails = [prompt.ids[shared:] for prompt in prompts]
        lengths = list(map(len, tails))
        ids = pad_sequence(tails, batch_first=True).to(self.device)
        positions = pad_sequence(
            [prompt.positions[:, shared:].T for prompt in prompts], batch_first=True
        )
        ends = torch.tensor(lengths, device=self.device)
        mask = torch.arange(ids.shape[1], device=self.device) < ends[:, None]
        inputs = self.language.embed_tokens(ids)
        deep: dict[str, Any] = {}
        if seen := [each for prompt in prompts for each in prompt.seen]:
            shown = torch.isin(ids, torch.tensor(sorted(self.pads), device=self.device)) & mask
            # Prompts of texts alone keep pads that a user wrote as words.
            shown &= torch.tensor([bool(p.seen) for p in prompts], device=self.device)[:, None]
            inputs[shown] = torch.cat([each.merged for each in seen])
            levels = zip(*(each.deepstack for each in seen), strict=True)
            deep = {
                "visual_pos_masks": shown,
                "deepstack_visual_embeds": [torch.cat(level) for level in levels],
            }
        if start is not None:
            # The model writes into its cache, one row of it for each prompt.
            start = copy.deepcopy(start)
            start.batch_repeat_interleave(len(prompts))
        found: Any = self.language(
            inputs_embeds=inputs,
            attention_mask=torch.cat([mask.new_ones(len(prompts), shared), mask], dim=1).long(),
            position_ids=positions.permute(2, 0, 1).to(self.device),
            past_key_values=start,
            use_cache=start is not None,
            **deep,
        )
        states = found.last_hidden_state
        return [row[length - 1].float() for row, length in zip(states, lengths, strict=True)]

    def _loaded_vision(self) -> tuple[Qwen3VLVisionModel, str]:
        """Load the vision tower on its first use."""
        from transformers import Qwen3VLVisionModel

        with self._lock:
            if self._vision is None:
                vision: Any = self.config.vision_config
                self._vision = self.tensors.load(
                    lambda: Qwen3VLVisionModel(vision),
                    self._root + _VISION,
                    dtype=DTYPES[self.precision],
                    device=self.device,
                )
        return self._vision
