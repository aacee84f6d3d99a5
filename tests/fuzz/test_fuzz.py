"""A small, seeded part of `tests/fuzz/fuzz.py` and `parsers.py`; docs/saving.md has what the full number gave."""

from __future__ import annotations

import os
import sys

import pytest

from tests.fuzz import fuzz, parsers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")


@pytest.mark.parametrize("name", list(fuzz.TARGETS))
def test_reader_survives(name: str) -> None:
    failures, _ = fuzz.run(name, int(os.environ.get("TF2COMPAT_FUZZ", "60")))
    assert not failures


def test_parsers_survive() -> None:
    found = parsers.fuzz(int(os.environ.get("TF2COMPAT_FUZZ", "60")))
    assert len(found) > 15 and not {name: bad for name, (_, bad) in found.items() if bad}
