"""Files of the original to state dicts of our parts. Strict: nothing is missing, nothing is left.

A part is loaded only where its files are given, so that a text-only readout of a 7B model never
touches the vision tower, and the other way round.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from moviola.core.errors import WeightsUnavailableError
from moviola.encode.video_llama.weights.keys import PREFIXES, is_ignored, renamed
from moviola.plugins.pth import read_pth

_TOWER = ("vit.embeddings.", "vit.encoder.")
_Q_BIAS, _V_BIAS, _QKV_BIAS = "self_attn.q_bias", "self_attn.v_bias", "self_attn.qkv.bias"

#: The parts, and the sets of files that each of them can be made of.
PARTS: Mapping[str, tuple[frozenset[str], ...]] = {
    "visual": (
        frozenset({"eva_vit_g", "blip2_pretrained_flant5xxl", "vl_branch"}),
        frozenset({"blip2_flan_t5_xxl", "vl_branch"}),
        frozenset({"weights"}),
    ),
    "audio": (
        frozenset({"imagebind_huge", "al_branch"}),
        frozenset({"imagebind_huge_audio_only", "al_branch"}),
        frozenset({"weights"}),
    ),
    "llama": (frozenset({"llama"}), frozenset({"weights"})),
}


def parts_of(sources: Mapping[str, Path]) -> set[str]:
    """Tell which parts `sources` (name of a file → its path) make up.

    Raises:
        ValueError: a name is unknown, or a part lacks one of its files.
    """
    if unknown := sources.keys() - PREFIXES.keys():
        raise ValueError(f"no source is called {sorted(unknown)}; known: {sorted(PREFIXES)}")
    if not sources:
        raise ValueError(f"no source was given; known: {sorted(PREFIXES)}")
    given = frozenset(sources)
    whole = {
        name: match
        for name, sets in PARTS.items()
        if (match := next((files for files in sets if files <= given), None))
    }
    if spare := given.difference(*whole.values()):
        lacking = [
            f"{name} needs {' + '.join(sorted(files))}"
            for name, sets in PARTS.items()
            for files in sets
            if name not in whole and files & spare
        ]
        why = "; ".join(lacking) or "its part is made of other files already"
        raise ValueError(f"nothing can be made of {sorted(spare)}: {why}")
    return set(whole)


def read_part(
    name: str,
    sources: Mapping[str, Path],
    *,
    vision_layers: int,
    dtype: torch.dtype = torch.float32,
    sha256: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Tensor]:
    """Read the tensors of part `name` under our names, without the part's own prefix.

    The large towers are in `dtype`, what stands between them in float32.

    Raises:
        WeightsUnavailableError: a file cannot be read, or holds a tensor that nothing knows.
    """
    files = next(files for files in PARTS[name] if files <= sources.keys())
    state: dict[str, Tensor] = {}
    with contextlib.ExitStack() as stack:
        for source in sorted(files):
            for theirs, read in _entries(sources[source], stack, sha256.get(source)):
                whole = PREFIXES[source] + theirs
                if is_ignored(whole, source, vision_layers=vision_layers):
                    continue
                part, _, ours = renamed(whole).partition(".")
                if part == name:
                    large = name == "llama" or ours.startswith(_TOWER)
                    state[ours] = read().to(dtype if large else torch.float32)
                elif part not in PARTS or source != "weights":
                    raise WeightsUnavailableError(
                        f"{sources[source]} holds {theirs!r}, which does not belong there"
                    )
    return _join_biases(state)


def fill(module: nn.Module, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Give `module` (on the meta device or not) the tensors of `state`, all of them, no others.

    Raises:
        WeightsUnavailableError: a tensor is missing, is not needed, or has another shape.
    """
    wanted = module.state_dict()
    problems = [
        *(f"{name} is missing" for name in sorted(wanted.keys() - state.keys())),
        *(f"{name} is not needed" for name in sorted(state.keys() - wanted.keys())),
        *(
            f"{name} has shape {tuple(state[name].shape)} instead of {tuple(tensor.shape)}"
            for name, tensor in wanted.items()
            if name in state and state[name].shape != tensor.shape
        ),
    ]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise WeightsUnavailableError(
            f"{origin} does not fit this configuration: {'; '.join(problems[:3])}{more}"
        )
    module.load_state_dict(dict(state), assign=True)


def _entries(
    path: Path, stack: contextlib.ExitStack, sha256: str | None
) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Yield names in a file, or a folder's safetensors, with functions that read them."""
    if path.suffix in {".pth", ".pt", ".bin"}:
        for name, tensor in read_pth(path, sha256=sha256).items():
            yield name, partial(_same, tensor)
        return
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else [path]
    if not files:
        raise WeightsUnavailableError(f"no safetensors in {path}")
    for file in files:
        try:
            opened = stack.enter_context(safe_open(file, framework="pt"))
        except (OSError, SafetensorError) as error:
            raise WeightsUnavailableError(f"{file} cannot be read: {error}") from error
        for name in opened.keys():  # noqa: SIM118 - not a mapping
            yield name, partial(opened.get_tensor, name)


def _same(tensor: Tensor) -> Tensor:
    return tensor


def _join_biases(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Join the vision transformer's biases of queries and values; that of keys is zero."""
    joined = dict(state)
    for name in state:
        if name.endswith(_Q_BIAS):
            stem = name.removesuffix(_Q_BIAS)
            values = joined.pop(stem + _V_BIAS, None)
            if values is None:
                continue
            queries = joined.pop(name)
            joined[stem + _QKV_BIAS] = torch.cat([queries, torch.zeros_like(queries), values])
    return joined
