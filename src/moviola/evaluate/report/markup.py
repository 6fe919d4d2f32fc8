"""Write HTML and SVG whose text is escaped by construction: nothing given can become markup."""

from __future__ import annotations

import re
from html import escape

#: What no document may hold, and what would turn the direction of the text around it.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_VOID = frozenset({"br", "img", "meta", "path", "line", "rect", "circle", "polyline", "polygon"})
#: Elements of SVG that must be closed, as XML has it, and that HTML's parser takes too.
_CLOSED = frozenset({"path", "line", "rect", "circle", "polyline", "polygon"})


class Html(str):
    """Hold markup that is safe to put into a page. Everything else that is put there is escaped."""

    __slots__ = ()


def clean(text: str) -> str:
    """Replace the characters of `text` that no document may hold by U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def element(name: str, /, *children: str, **attributes: str | float | None) -> Html:
    """Make `<name attributes>children</name>`.

    Args:
        name: of the element; never anything given.
        children: `Html` as it is, other text escaped.
        attributes: underscores become hyphens, a trailing one is dropped (`class_`); None is left
            out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(clean(_shown(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{written}{'/' if name in _CLOSED else ''}>")
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(children: tuple[str, ...] | list[str]) -> Html:
    """Join children one after the other, those that are no `Html` escaped."""
    return Html(
        "".join(child if isinstance(child, Html) else escape(clean(child)) for child in children)
    )


def _shown(value: str | float) -> str:
    # A tenth of a unit is finer than any screen.
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
