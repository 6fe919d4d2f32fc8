"""Store heads as folders and hub repositories: safetensors, a JSON card, a model card."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.head.card import CARD, WEIGHTS, HeadCard
from moviola.align.head.model_card import model_card
from moviola.core import (
    StorageError,
    StoreCorruptError,
    WeightsUnavailableError,
    display_path,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

README = "README.md"
#: The settings of the run that made a head. It names files of this machine, and stays on it.
RUN = "run.json"
_PUBLISHED = {CARD, WEIGHTS, README}
_OURS = {*_PUBLISHED, RUN}


def require_free(folder: Path) -> None:
    """Refuse a place that holds anything but an earlier head, which will be replaced.

    Raises:
        FileExistsError: when it does.
    """
    if not folder.exists():
        return
    inside = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if inside and (CARD not in inside or inside - _OURS):
        raise FileExistsError(
            f"{display_path(folder)} is there and is no earlier head; name another folder (--out)"
        )


def write_head(folder: Path, card: HeadCard, tensors: Mapping[str, Floats]) -> None:
    """Write a head, whole or not at all, replacing an earlier head in `folder`.

    Raises:
        FileExistsError: when the folder holds anything but an earlier head.
        StorageError: when it cannot be written.
    """
    folder = folder.absolute()
    require_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{folder.name}.", dir=folder.parent) as place:
            ready = Path(place) / "head"
            ready.mkdir()
            _write(ready, card, tensors)
            if folder.is_dir():
                shutil.rmtree(folder)
            ready.rename(folder)
    except OSError as error:
        raise StorageError(
            f"cannot write {display_path(folder)}: {error.strerror or error}"
        ) from error


def read_head(folder: Path) -> tuple[HeadCard, dict[str, Floats]]:
    """Read the card and the tensors of the head in `folder`.

    Raises:
        StoreCorruptError: when a file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    for name in (CARD, WEIGHTS):
        if not (folder / name).is_file():
            raise StoreCorruptError(f"{display_path(folder)} is no head: it has no {name}")
    card = HeadCard.read(folder / CARD)
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, ValueError, OSError) as error:
        raise StoreCorruptError(
            f"{display_path(folder / WEIGHTS)} is damaged ({error}); fit the head again"
        ) from error
    for name, tensor in tensors.items():
        if tensor.dtype != np.float32 or not np.isfinite(tensor).all():
            raise StoreCorruptError(
                f"{display_path(folder / WEIGHTS)}: {name} is not finite float32"
            )
    return card, tensors


def fetch_head(repository: str, *, revision: str | None) -> Path:
    """Fetch the files of a head from the hub; return their folder.

    Raises:
        FileNotFoundError: when the name is neither a folder nor the id of a repository.
        StorageError: when the disk refuses them.
        WeightsUnavailableError: when the hub does not give them.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    shown = display_path(repository)
    # The hub also has models of no owner; heads are not among them, and a misspelt folder is.
    if "/" not in repository:
        raise FileNotFoundError(f"there is no folder {shown}; a head of the hub is OWNER/NAME")
    try:
        return Path(
            snapshot_download(repository, revision=revision, allow_patterns=sorted(_PUBLISHED))
        )
    except HFValidationError:
        raise FileNotFoundError(f"there is no head {shown}") from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the disk, not of the hub
            raise StorageError(f"cannot keep the head {shown}: {error.strerror}") from error
        raise WeightsUnavailableError(
            f"there is no folder {shown}, and the hub does not give a head of that name: {error}"
        ) from error


def publish_head(
    repository: str,
    card: HeadCard,
    tensors: Mapping[str, Floats],
    *,
    private: bool,
    message: str,
) -> str:
    """Upload a head with its model card; return the address of the commit.

    Raises:
        WeightsUnavailableError: when the hub refuses or cannot be reached.
    """
    from huggingface_hub import HfApi

    with tempfile.TemporaryDirectory() as place:
        _write(Path(place), card, tensors)
        try:
            api = HfApi()
            api.create_repo(repository, private=private, exist_ok=True)
            done = api.upload_folder(repo_id=repository, folder_path=place, commit_message=message)
        except Exception as error:
            raise WeightsUnavailableError(
                f"the head cannot be pushed to {repository}: {error}"
            ) from error
    return str(done.commit_url)


def _write(folder: Path, card: HeadCard, tensors: Mapping[str, Floats]) -> None:
    from safetensors.numpy import save_file

    weights = {name: np.ascontiguousarray(tensor, "<f4") for name, tensor in tensors.items()}
    save_file(weights, folder / WEIGHTS)
    (folder / CARD).write_text(card.to_json(), encoding="ascii")
    (folder / README).write_text(model_card(card), encoding="utf-8")
