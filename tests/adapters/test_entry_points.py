"""The adapters that are declared exist, and the two lists of them agree."""

import os
import re

from tf2compat_adapters.entry_points import ENTRY_POINTS

from tf2compat import _ports

ROOT = os.path.join(os.path.dirname(__file__), os.pardir, os.pardir)


def test_the_lists_agree():
    with open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
        text = file.read()
    section = text.split('[project.entry-points."tf2compat.adapters"]\n')[1].split("\n[")[0]
    assert dict(re.findall(r'^"(.+)" = "(.+)"$', section, re.M)) == ENTRY_POINTS


def test_every_adapter_loads():
    for name in ENTRY_POINTS:
        port, _, adapter = name.partition(".")
        assert adapter in _ports.names(port)
        assert _ports.load(port, adapter) is not None
