"""Hidden states of a decoder, pooled as they pass: one forward pass, however many are asked for.

Hooks look at what goes into each layer and into the final norm, pool it at once, and keep nothing
else; so 33 states of a long prompt cost no more memory than one. A pass ends at the deepest state
that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from moviola.core.token_pooling import TokenPooling, pool_by_salience
from moviola.encode.decoder.inputs import DecoderInputs, Kind
from moviola.encode.decoder.readouts import DecoderReadout, Tokens
from moviola.encode.decoder.salience import watch_attention

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_CONTENT = (Kind.TEXT, Kind.VIDEO, Kind.AUDIO)


class Decoder(Protocol):
    """A decoder as transformers builds them: layers one after the other, and a norm at the end."""

    layers: nn.ModuleList
    norm: nn.Module


@torch.inference_mode()
def read_decoder(
    decoder: nn.Module, inputs: DecoderInputs, readouts: Sequence[DecoderReadout]
) -> list[list[NDArray[np.float32]]]:
    """Read the rows of every input by every readout, in as few passes as there are masks.

    The prompts of the readouts are not looked at: they are in the inputs already.

    Args:
        decoder: a `LlamaModel` or a model of that shape, which takes `inputs_embeds`.
        inputs: B sequences.
        readouts: what to read, R of them.

    Returns:
        R lists of B arrays `(n, H)` float32; n is 1 where rows are pooled.

    Raises:
        ValueError: when a readout asks for a layer that there is not.
    """
    found: dict[int, list[NDArray[np.float32]]] = {}
    for mask in dict.fromkeys(readout.mask for readout in readouts):
        places = [i for i, readout in enumerate(readouts) if readout.mask == mask]
        seen = _visible(inputs, bidirectional=mask == "bidirectional")

        def run(seen: Tensor = seen) -> None:
            decoder(
                inputs_embeds=inputs.embeds,
                attention_mask=seen,
                position_ids=inputs.positions,
                use_cache=False,
                **inputs.further,
            )

        own = read_layers(decoder, run, inputs.kinds, [readouts[i] for i in places])
        found.update(zip(places, own, strict=True))
    return [found[i] for i in range(len(readouts))]


@torch.inference_mode()
def read_layers(
    decoder: nn.Module, run: Callable[[], Any], kinds: Tensor, readouts: Sequence[DecoderReadout]
) -> list[list[NDArray[np.float32]]]:
    """Read rows as `read_decoder`; `run` sends sequences of these `kinds` through once."""
    shape: Decoder = decoder  # pyright: ignore[reportAssignmentType] -- structural, by attributes
    count = len(shape.layers)
    asked: dict[int, list[int]] = {}
    for index, readout in enumerate(readouts):
        asked.setdefault(readout.state(count), []).append(index)
    pools = [StatePool(readout, kinds) for readout in readouts]
    attended = {
        readout.state(count) for readout, pool in zip(readouts, pools, strict=True) if pool.attends
    }
    if 0 in attended:
        raise ValueError("state 0 has seen no attention to pool by; read a later layer")
    rows: list[list[NDArray[np.float32]]] = [[] for _ in readouts]
    salience: dict[int, Tensor] = {}
    deepest = max(asked)
    following = 0

    def look(state: int, hidden: Tensor) -> None:
        nonlocal following
        # Whatever wraps the model must not run layers in another order, or one of them twice.
        if state != following:
            raise RuntimeError(f"the decoder ran layer {state} where {following} was next")
        following += 1
        own = asked.get(state, ())
        if any(readouts[index].is_normed(count) for index in own):
            # `forward` passes by the hook that waits for the decoder's own call of the norm.
            normed = shape.norm.forward(hidden)
        else:
            normed = hidden
        for index in own:
            chosen = normed if readouts[index].is_normed(count) else hidden
            rows[index] = pools[index](chosen, salience.get(state))
        if state == deepest:
            raise _DeepEnoughError

    with (
        watch_attention(decoder, kinds, attended, salience),
        _hooks([*shape.layers, shape.norm], look),
    ):
        try:
            run()
        except _DeepEnoughError:
            return rows
    raise RuntimeError(f"the decoder never came to layer {deepest} of {count}")


def chosen_positions(tokens: Tokens, kinds: Tensor) -> Tensor:
    """Mark the positions that count `(B, L)` bool, of `kinds` `(B, L)`; one a row at least.

    Raises:
        ValueError: when a row is all padding.
    """
    real = kinds != Kind.PADDING
    if not bool(real.any(dim=1).all()):
        raise ValueError("an input of no positions at all cannot be read")
    places = torch.arange(kinds.shape[1], device=kinds.device)
    last = places == (places * real).max(dim=1, keepdim=True).values
    if tokens == "last":
        return last
    if tokens == "all":
        return real
    wanted = _CONTENT if tokens == "content" else (Kind.VIDEO,)
    chosen = torch.isin(kinds, torch.tensor(wanted, dtype=kinds.dtype, device=kinds.device))
    return torch.where(chosen.any(dim=1, keepdim=True), chosen, last)


class _DeepEnoughError(Exception):
    """Nothing that is asked for lies deeper."""


@contextmanager
def _hooks(modules: Sequence[nn.Module], look: Callable[[int, Tensor], None]) -> Iterator[None]:
    """Show `look` what goes into each module, with its number."""

    def hook(state: int) -> Callable[..., None]:
        def seen(_module: nn.Module, args: tuple[Any, ...], named: dict[str, Any]) -> None:
            look(state, args[0] if args else named["hidden_states"])

        return seen

    with ExitStack() as stack:
        for state, module in enumerate(modules):
            handle = module.register_forward_pre_hook(hook(state), with_kwargs=True)
            stack.callback(handle.remove)
        yield


class StatePool:
    """Hidden states `(B, L, H)` to the rows of one readout; sums are made in single precision."""

    def __init__(self, readout: DecoderReadout, kinds: Tensor) -> None:
        self._pooling = readout.pooling
        self._tokens = TokenPooling.parse(readout.pooling)
        self._chosen = chosen_positions(readout.tokens, kinds)

    @property
    def attends(self) -> bool:
        """Tell whether rows are pooled by what the last position attends to."""
        return self._tokens is not None

    def __call__(self, hidden: Tensor, salience: Tensor | None = None) -> list[NDArray[np.float32]]:
        """Map `(B, L, H)` to one `(n, H)` float32 array an input; `salience` is `(B, L)`.

        Raises:
            ValueError: when rows are pooled by attention and there is none.
        """
        chosen = self._chosen.to(hidden.device)
        if self._tokens is not None:
            if salience is None:
                raise ValueError("state 0 has seen no attention to pool by; read a later layer")
            each = zip(hidden, salience.to(hidden.device), chosen, strict=True)
            return [
                pool_by_salience(
                    own[mine].float().cpu().numpy(),
                    weights[mine].cpu().numpy(),
                    self._tokens.rows,
                )
                for own, weights, mine in each
            ]
        if self._pooling == "none":
            return [
                own[mine].float().cpu().numpy() for own, mine in zip(hidden, chosen, strict=True)
            ]
        wide = hidden.float()
        if self._pooling in ("max", "min"):
            worst = float("-inf") if self._pooling == "max" else float("inf")
            masked = wide.masked_fill(~chosen[..., None], worst)
            pooled = masked.amax(dim=1) if self._pooling == "max" else masked.amin(dim=1)
        else:
            pooled = (weights_of(self._pooling, chosen)[:, None] @ wide)[:, 0]
        return list(pooled[:, None].cpu().numpy())


def weights_of(pooling: str, chosen: Tensor) -> Tensor:
    """Weigh each position `(B, L)` float32 in a pooling that is a weighted sum.

    The functions of `moviola.core.pooling.POOLINGS` say the same of a single array.
    """
    order = chosen.cumsum(dim=1) * chosen
    count = order.max(dim=1, keepdim=True).values
    if pooling == "first":
        return (order == 1).float()
    if pooling == "last":
        return ((order == count) & chosen).float()
    if pooling == "sum":
        return chosen.float()
    if pooling == "mean":
        return chosen / count
    if pooling == "position_weighted_mean":
        return order / order.sum(dim=1, keepdim=True)
    raise ValueError(f"{pooling!r} is no weighted sum")


def _visible(inputs: DecoderInputs, *, bidirectional: bool) -> Tensor:
    """Make the attention mask: `(B, L)` if causal, else `(B, 1, L, L)` to be added."""
    if not bidirectional:
        return inputs.mask
    real = inputs.mask.bool()
    hidden = torch.zeros_like(real, dtype=inputs.embeds.dtype)
    hidden = hidden.masked_fill(~real, torch.finfo(inputs.embeds.dtype).min)
    return hidden[:, None, None].expand(-1, 1, real.shape[1], -1)
