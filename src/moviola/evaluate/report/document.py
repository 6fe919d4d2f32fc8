"""Frame report pages: one self-contained file, no script, no network."""

from __future__ import annotations

from moviola.evaluate.report.markup import Html, element
from moviola.evaluate.report.style import CSS

#: Nothing is fetched and nothing runs, whatever a caption says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def document(title: str, *children: str) -> str:
    """Make an HTML page of that title whose body holds `children`, light and dark."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("title", title),
        element("style", Html(CSS)),
    )
    body = element("body", element("main", *children))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"
