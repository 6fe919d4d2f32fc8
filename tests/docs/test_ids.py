"""Every model that the README, the docs and the lists name is still where they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from moviola.plugins import families, known_models, split_options
from moviola.plugins.checkpoints import find_checkpoint

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: Ids that a page makes up to explain something.
MADE_UP = {"some/model", "some/branch", "you/your-model"}


def named_in_pages() -> dict[str, str]:
    """The `FAMILY:OWNER/NAME` of every page, and the page that names it first."""
    words = re.compile(rf"\b(?:{'|'.join(families())}):[\w.-]+/[\w.-]+(?:@\w+)?")
    found: dict[str, str] = {}
    for page in PAGES:
        for name in words.findall(page.read_text(encoding="utf-8")):
            found.setdefault(name.rstrip("."), page.name)
    return found


def wanted() -> list[tuple[str, str | None]]:
    """Repositories with their revisions: of known models, of their second sources, of pages."""
    found: dict[tuple[str, str | None], None] = {}
    for _, card in known_models().values():
        for source in card.sources:
            found[source.repository, source.revision] = None
            if source.mirror is not None:
                found[source.mirror.repository, source.mirror.revision] = None
    for name in named_in_pages():
        checkpoint = find_checkpoint(split_options(name)[0])
        assert checkpoint is not None, name
        if checkpoint.model not in MADE_UP:
            found[checkpoint.model, checkpoint.revision] = None
    return sorted(found, key=str)


def test_pages_name_models_that_a_family_could_load():
    assert "two-tower:openai/clip-vit-large-patch14" in named_in_pages()
    assert ("MHRDYN7/videoprism-lvt-base-f16r288", None) in wanted()
    listed = set(known_models())
    words = re.compile(r"--model ([a-z][\w-]+)(?=[\s`,])")
    for page in PAGES:
        for name in words.findall(page.read_text(encoding="utf-8")):
            assert name in listed | {"shapes", "none"}, f"{page.name} names {name}"


@pytest.mark.network
@pytest.mark.parametrize(("repository", "revision"), wanted())
def test_the_hub_still_has_it(repository, revision):
    from huggingface_hub import HfApi

    info = HfApi().model_info(repository, revision=revision, timeout=30)
    names = [file.rfilename for file in info.siblings or ()]
    assert any(name.endswith((".safetensors", ".pth")) for name in names), names
