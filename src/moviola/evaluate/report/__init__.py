"""Render report pages: one file, no network, no scripts."""

from moviola.evaluate.report.facts import Facts
from moviola.evaluate.report.page import PageContents, render_page

__all__ = ["Facts", "PageContents", "render_page"]
