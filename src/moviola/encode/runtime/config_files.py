"""Read the configuration files of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from moviola.core.errors import WeightsUnavailableError
from moviola.core.json_text import decode_json
from moviola.core.paths import display_path


def read_config(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        WeightsUnavailableError: when the file is not there, or holds none.
    """
    try:
        found = decode_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsUnavailableError(f"{display_path(path.parent)} has no {path.name}") from None
    except (OSError, ValueError) as error:
        raise WeightsUnavailableError(
            f"{display_path(path)} is damaged ({error}); fetch it again"
        ) from error
    if not isinstance(found, dict):
        raise WeightsUnavailableError(f"{display_path(path)} holds no settings; fetch it again")
    return cast("dict[str, Any]", found)
