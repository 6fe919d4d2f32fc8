"""The doctor refuses versions below the floors, and weights that are not what they were."""

from __future__ import annotations

import hashlib

import pytest

from moviola.pipeline import doctor
from moviola.pipeline.versions import PACKAGE_FLOORS, package_is_safe, versions


@pytest.mark.parametrize(
    ("package", "version", "safe"),
    [
        ("torch", "2.9.1", False),
        ("torch", "2.10.0", True),
        ("torch", "2.13.0+cpu", True),
        ("transformers", "5.2.0", False),
        ("transformers", "5.3.0.dev0", True),
        ("transformers", "5.23.0", True),
        ("starlette", "1.5.0", False),
        ("starlette", "1.5.1", True),
        ("av", "18.0.0", False),
        ("av", "18.1.0", True),
        ("av", "unknown", False),
    ],
)
def test_versions_below_the_floor_are_refused(package, version, safe):
    assert package_is_safe(version, PACKAGE_FLOORS[package]) is safe
    found = doctor._package(package, version)
    assert found.ok is safe
    assert safe or "pip install --upgrade" in found.detail


def test_every_floor_is_looked_at(monkeypatch, tmp_path):
    assert PACKAGE_FLOORS.keys() <= versions().keys()
    monkeypatch.setattr(doctor, "versions", lambda: dict.fromkeys(PACKAGE_FLOORS, "0.1"))
    found = {each.what: each.ok for each in doctor.examine(tmp_path)}
    assert not any(found[name] for name in PACKAGE_FLOORS)


def test_weights_of_the_right_size_and_other_bytes_are_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    blobs = tmp_path / "models--some--model" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / hashlib.sha256(b"weights").hexdigest()).write_bytes(b"weights")
    (blobs / "0123456789abcdef0123456789abcdef01234567").write_bytes(b"a small file, by git")
    (found,) = doctor.verify_weights()
    assert (found.what, found.ok) == ("weights of some/model", True)
    (blobs / hashlib.sha256(b"weights").hexdigest()).write_bytes(b"weighty")
    (found,) = doctor.verify_weights()
    assert not found.ok
    assert "fetch the model again" in found.detail
