"""Sentences to rows: tokens, padding, and a text tower."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from moviola.core.abilities import Precision
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.precision import MixedPrecision

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_BATCH = 64
_PROBE = ("a dog runs after a ball", "two people are talking in a kitchen at night")


class TextTower:
    """Map sentences to vectors: a tokenizer and the part of a model behind it.

    Matrix products are in the precision asked for, or in that of the device where it keeps the
    vectors of a few fixed sentences.

    Args:
        tokenizer: of the checkpoint.
        run: token ids `(B, L)` and their mask `(B, L)`, None where there is none, to `(B, D)`.
        length: tokens at most; longer sentences are cut.
        padding: `"longest"`, or `"max_length"` for models that were trained on padded sentences.
        masked: whether the model is told which tokens are padding.
        device: where the tower is.
        precision: of matrix products; None for that of the device.
    """

    def __init__(
        self,
        tokenizer: Any,
        run: Callable[[Tensor, Tensor | None], Tensor],
        *,
        length: int,
        padding: Literal["longest", "max_length"],
        masked: bool,
        device: torch.device,
        precision: Precision | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._run = MixedPrecision(
            run, device, precision=precision, probe=lambda: self._tokens(_PROBE)
        )
        self._length = length
        self._padding: Literal["longest", "max_length"] = padding
        self._masked = masked
        self._device = device

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        return f"tokens:{self._length} padding:{self._padding}"

    @property
    def precision(self) -> Precision:
        """Return the precision of its matrix products."""
        return self._run.precision

    def __call__(self, texts: Sequence[str]) -> list[Tensor]:
        """Encode each text to a `(D,)` float32 tensor on the CPU."""
        return run_batched(self._encode, texts, _BATCH)

    def _encode(self, texts: Sequence[str]) -> Sequence[Tensor]:
        return self._run(*self._tokens(texts)).unbind()

    def _tokens(self, texts: Sequence[str]) -> tuple[Tensor, Tensor | None]:
        """Tokenize texts to ids `(B, L)` and their mask, None where the model takes none."""
        tokens = tokenize(self._tokenizer, texts, length=self._length, padding=self._padding)
        ids = tokens["input_ids"].to(self._device)
        mask = tokens["attention_mask"].to(self._device) if self._masked else None
        return ids, mask


def tokenize(
    tokenizer: Any,
    texts: Sequence[str],
    *,
    length: int,
    padding: Literal["longest", "max_length"],
) -> Any:
    """Tokenize texts to `input_ids` `(B, L)` and `attention_mask` `(B, L)`.

    Args:
        tokenizer: of the checkpoint.
        texts: B sentences.
        length: tokens at most; longer sentences are cut.
        padding: to the longest of them, or always to `length`.
    """
    # Words of a command line may hold bytes that are no text.
    clean = [text.encode(errors="replace").decode() for text in texts]
    return tokenizer(
        clean, padding=padding, truncation=True, max_length=length, return_tensors="pt"
    )
