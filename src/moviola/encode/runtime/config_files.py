"""Read the configuration files of a checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path


def read_config(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        WeightsUnavailableError: when the file is not there, or holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsUnavailableError(f"{display_path(path.parent)} has no {path.name}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsUnavailableError(
            f"{display_path(path)} is damaged ({error}); fetch it again"
        ) from error
    if not isinstance(found, dict):
        raise WeightsUnavailableError(f"{display_path(path)} holds no settings; fetch it again")
    return cast("dict[str, Any]", found)
