"""Logical devices that a test makes are its own."""

from collections.abc import Iterator

import pytest

from tf2compat.config import experimental


@pytest.fixture(autouse=True)
def _devices() -> Iterator[None]:
    before = dict(experimental.limits)
    yield
    experimental.limits.clear()
    experimental.limits.update(before)
