"""Parse JSON that somebody else wrote: files, pipes and settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def decode_json(
    text: str | bytes,
    *,
    object_pairs_hook: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """Parse a text of JSON.

    Args:
        text: any; bytes are UTF-8, UTF-16 or UTF-32.
        object_pairs_hook: makes an object of its pairs, as for `json.loads`.

    Raises:
        ValueError: when it is not JSON, or is nested so deeply that Python cannot follow.
    """
    try:
        return json.loads(text, object_pairs_hook=object_pairs_hook)
    except RecursionError:
        raise ValueError("it is nested too deeply to be read") from None
