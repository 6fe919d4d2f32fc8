"""Load single towers of a checkpoint, and read no byte of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

import torch
from safetensors import safe_open

from moviola.core.errors import WeightsUnavailableError
from moviola.core.json_text import decode_json
from moviola.core.paths import display_path
from moviola.encode.runtime.hub import weight_files
from moviola.encode.runtime.loading import COMPUTED_WITH, DAMAGES

if TYPE_CHECKING:
    from torch import Tensor, nn

ModuleT = TypeVar("ModuleT", bound="nn.Module")
_SAMPLE = 16
"""Bytes of every tensor that the digest of a checkpoint holds: another training changes them."""


@dataclass(frozen=True, slots=True)
class TensorIndex:
    """The places of the tensors of a checkpoint, read from the heads of its files.

    Attributes:
        folder: the checkpoint.
        places: the file of every tensor, by the tensor's name.
        digest: 32 hexadecimal digits of the heads of the weight files (names, types, shapes and
            places of all tensors), of 16 bytes in the middle of every tensor, and of the
            configuration and tokenizer. It tells towers apart of which nothing else is read.
    """

    folder: Path
    places: Mapping[str, Path]
    digest: str

    @classmethod
    def of_folder(cls, folder: Path) -> Self:
        """Read the heads of all weight files of `folder`, and a sample of every tensor.

        Raises:
            WeightsUnavailableError: when there are none, or one is damaged.
        """
        places: dict[str, Path] = {}
        digest = hashlib.blake2b(digest_size=16)
        for path in weight_files(folder):
            try:
                with safe_open(path, "pt") as tensors:
                    places |= dict.fromkeys(tensors.keys(), path)
                digest.update(f"{path.name}:".encode() + _sampled(path))
            except DAMAGES as error:
                raise WeightsUnavailableError(
                    f"{display_path(path)} is damaged ({error}); fetch it again"
                ) from error
        for path in (folder / name for name in COMPUTED_WITH):
            if path.is_file():
                digest.update(f"{path.name}:".encode() + hashlib.sha256(path.read_bytes()).digest())
        return cls(folder, places, digest.hexdigest())

    def require_parts(self, prefixes: Sequence[str], allowed: Sequence[str] = ()) -> None:
        """Refuse a checkpoint with tensors that belong to no part.

        Args:
            prefixes: beginnings of the names of the parts.
            allowed: names of single tensors that may be left over.

        Raises:
            WeightsUnavailableError: naming what is left over.
        """
        known = tuple(prefixes)
        self._refuse("unexpected", {n for n in self.places if not n.startswith(known)} - {*allowed})

    def load(
        self,
        make: Callable[[], ModuleT],
        prefix: str,
        *,
        dtype: torch.dtype,
        device: torch.device,
    ) -> tuple[ModuleT, str]:
        """Load the tensors whose names begin with `prefix` into a module, every one of them.

        Args:
            make: makes the module; its weights need no values yet.
            prefix: that the checkpoint puts before the names of the module's tensors.
            dtype: of the weights that are floating-point numbers.
            device: where the module goes.

        Returns:
            The module in evaluation mode, and 32 hexadecimal digits of its bytes as stored.

        Raises:
            WeightsUnavailableError: when tensors are missing, left over or of another shape.
        """
        from transformers.initialization import no_init_weights

        with no_init_weights():
            module = make()
        wanted = {name: value.shape for name, value in module.state_dict().items()}
        names = {name.removeprefix(prefix): name for name in self.places if name.startswith(prefix)}
        self._refuse("missing", {prefix + name for name in wanted.keys() - names.keys()})
        self._refuse("unexpected", {prefix + name for name in names.keys() - wanted.keys()})
        digest = hashlib.blake2b(digest_size=16)
        found: dict[str, Tensor] = {}
        for name in sorted(wanted):
            tensor = self.tensor(names[name])
            if tensor.shape != wanted[name]:
                self._refuse("of another shape", {names[name]})
            digest.update(f"{name}:{_sha256(tensor)}\n".encode())
            found[name] = tensor.to(dtype) if tensor.is_floating_point() else tensor
        module.load_state_dict(found, assign=True)
        module.to(device)
        return module.eval().requires_grad_(requires_grad=False), digest.hexdigest()

    def tensor(self, name: str, rows: Sequence[int] | None = None) -> Tensor:
        """Read a tensor, or some of its rows and no byte of the others.

        Raises:
            WeightsUnavailableError: when it cannot be read.
        """
        try:
            with safe_open(self.places[name], "pt") as tensors:
                if rows is None:
                    return tensors.get_tensor(name)
                part: Any = tensors.get_slice(name)
                return torch.cat([part[row : row + 1] for row in rows])
        except DAMAGES as error:
            raise WeightsUnavailableError(
                f"{display_path(self.folder)} does not give the tensor {name} ({error}); fetch it "
                f"again"
            ) from error

    def _refuse(self, what: str, names: set[str]) -> None:
        """Raise when there are `names` of tensors that are `what`."""
        if names:
            first = ", ".join(sorted(names)[:3])
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise WeightsUnavailableError(
                f"{display_path(self.folder)} does not fit the model: {what} {first}{more}"
            )


def _sampled(path: Path) -> bytes:
    """Read the head of a safetensors file, which says where tensors lie, and a bit of each."""
    with path.open("rb", buffering=0) as file:
        head = file.read(int.from_bytes(file.read(8), "little"))
        start = file.tell()
        samples: list[bytes] = []
        for name, told in sorted(decode_json(head).items()):
            if name != "__metadata__":
                first, last = told["data_offsets"]
                file.seek(start + max(first, (first + last - _SAMPLE) // 2))
                samples.append(file.read(min(_SAMPLE, last - first)))
    return head + b"".join(samples)


def _sha256(tensor: Tensor) -> str:
    """Return the digest of a tensor's bytes."""
    flat = tensor.contiguous().view(-1).view(torch.uint8)
    return hashlib.sha256(flat.numpy().data).hexdigest()
