"""The page's files: small, alone, and unable to make markup of text. Needs no browser."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

import moviola.serve

STATIC = Path(moviola.serve.__file__).parent / "static"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
MOST = 150_000  # bytes, compressed
# Whatever turns a string into markup or into code.
_SINKS = re.compile(
    r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|"
    r"DOMParser|setHTMLUnsafe|srcdoc|eval\(|new Function|setTimeout\(\s*[\"'`])"
)


def test_all_of_it_is_small():
    size = sum(len(gzip.compress(path.read_bytes())) for path in FILES)
    assert 0 < size <= MOST


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_is_two_ideas(path):
    assert len(path.read_text("utf-8").splitlines()) <= 480, path.name


@pytest.mark.parametrize("path", [f for f in FILES if f.suffix == ".js"], ids=lambda p: p.name)
def test_text_never_becomes_markup_or_code(path):
    assert _SINKS.search(path.read_text("utf-8")) is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_nothing_is_fetched_from_elsewhere(path):
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    assert re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]", text) is None
    assert "@import" not in text


def test_the_page_has_no_inline_script_or_style():
    page = (STATIC / "index.html").read_text("utf-8")
    assert re.search(r"<script(?![^>]*\bsrc=)", page) is None
    assert re.search(r"<style|\sstyle=|\son[a-z]+=", page) is None


def test_every_module_and_sheet_is_used():
    page = (STATIC / "index.html").read_text("utf-8")
    reached = set(re.findall(r"/static/([\w./-]+)", page))
    waiting = [name for name in reached if name.endswith(".js")]
    while waiting:
        module = waiting.pop()
        text = (STATIC / module).read_text("utf-8")
        found = {f"js/{name}" for name in re.findall(r'from "\./([\w-]+\.js)"', text)}
        waiting.extend(found - reached)
        reached |= found
    assert reached == {path.relative_to(STATIC).as_posix() for path in FILES} - {"index.html"}


def test_the_lock_file_names_no_registry():
    lock = (Path(__file__).parent / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
    assert "http" not in lock
    assert lock.count('"integrity": "sha512-') == 2
