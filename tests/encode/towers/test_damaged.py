"""A checkpoint that is not whole is refused in one sentence with exit code 7, in every family."""

from __future__ import annotations

import subprocess
import sys

import pytest

import moviola
from fixtures.damages import DAMAGES, damaged
from moviola.core import ExitCode, WeightsUnavailableError

TWO_TOWERS = ("clip", "siglip", "siglip2", "metaclip_2")
FAMILIES = (*TWO_TOWERS, "xclip", "videoprism", "pe-av", "pe-video", "sentence-transformer")
#: VideoPrism prepares frames as its configuration says, whatever a processor's file does.
FREE = {("videoprism", "no preprocessor"), ("videoprism", "half a preprocessor")}


@pytest.fixture
def whole(request, make_checkpoint):
    """A function from the name of a family to a name of it and a folder."""

    def get(family):
        if family == "sentence-transformer":
            pytest.importorskip("sentence_transformers")
            return family, make_checkpoint("clip")
        if family in (*TWO_TOWERS, "xclip"):
            name = "xclip" if family == "xclip" else "two-tower"
            return name, make_checkpoint(family)
        fixture = f"{family.replace('-', '_')}_folder"
        return family.replace("video", "av") if family == "pe-video" else family, (
            request.getfixturevalue(fixture)
        )

    return get


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_not_whole_is_refused(whole, family, damage, tmp_path):
    if (family, damage) in FREE:
        pytest.skip("this family reads no such file")
    name, folder = whole(family)
    place = damaged(folder, damage, tmp_path / "some")
    with pytest.raises(WeightsUnavailableError, match="some") as refused:
        moviola.load_encoder(f"{name}:{place}")
    assert refused.value.exit_code == ExitCode.WEIGHTS_UNAVAILABLE


@pytest.mark.shared
@pytest.mark.parametrize(("case", "code"), [("clip", 0), ("notok", 7)])
def test_the_command_line_refuses_one_without_a_tokenizer(case, code, shared_data, tmp_path):
    captions = tmp_path / "captions.csv"
    captions.write_text("id,caption\na,a red dog\nb,a blue cat\n", encoding="utf-8")
    model = f"two-tower:{shared_data / 'cases' / 'checkpoints' / case}"
    command = ["encode", str(captions), "--out", str(tmp_path / "out"), "--model", model]
    done = subprocess.run(
        [sys.executable, "-m", "moviola", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    assert ("no tokenizer" in done.stderr) is (code == 7)
