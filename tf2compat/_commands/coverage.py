"""`python -m tf2compat coverage [FILE]`: count TensorFlow's public names that exist here, and write docs/coverage.md.

With `--check` nothing is written; the status is 1 when the file is not what would be written.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path

import tf2compat

from .api import Comparison, compare_all
from .deviations import DEVIATIONS

_HEAD = """\
# Coverage

Written by `python -m tf2compat coverage`; not by hand.

TensorFlow {version}'s public API has {total} names: modules, classes, functions, methods, properties and constants, aliases counted each.
**{have} of them exist here ({share:.1%})**, and the parameters (names, order, defaults) of {same} of the {compared} callables among them
are TensorFlow's.

A name counts as existing when it does what TensorFlow's does; there are no stubs. A missing name raises
`AttributeError: TensorFlow has tf.foo.bar; tf2compat does not yet: see docs/coverage.md`. Arguments that are not supported raise an error that
names them.

| namespace | names | exist | share | signatures that agree |
| --- | ---: | ---: | ---: | ---: |
"""


def namespace(path: str) -> str:
    """The row of the table that a name counts in: `tf.math`, `tf.keras.layers`, or `tf` for what is directly there."""
    parts = path.split(".")
    depth = 3 if path.startswith("tf.keras.") else 2
    if len(parts) <= depth - 1 or (len(parts) == depth and not parts[-1][:1].islower()):
        return ".".join(parts[: depth - 1])
    inner = parts[depth - 1]
    return ".".join(parts[:depth]) if inner[:1].islower() and len(parts) > depth else ".".join(parts[: depth - 1])


def page(found: list[Comparison]) -> str:
    """The text of docs/coverage.md."""
    rows: dict[str, list[Comparison]] = defaultdict(list)
    for c in found:
        rows[namespace(c.name.path)].append(c)
    have = sum(c.exists for c in found)
    compared = [c for c in found if c.agrees is not None]
    text = _HEAD.format(
        version=tf2compat.__version__,
        total=len(found),
        have=have,
        share=have / len(found),
        same=sum(c.agrees is True for c in compared),
        compared=len(compared),
    )
    for space, members in sorted(rows.items()):
        there = sum(c.exists for c in members)
        signed = [c.agrees for c in members if c.agrees is not None]
        agree = f"{sum(signed)} of {len(signed)}" if signed else ""
        text += f"| `{space}` | {len(members)} | {there} | {there / len(members):.0%} | {agree} |\n"
    different = [c for c in compared if not c.agrees]
    if different:
        text += "\n## Signatures that differ\n\n| name | TensorFlow | here | why |\n| --- | --- | --- | --- |\n"
        for c in different:
            why = DEVIATIONS.get(c.name.path, "")
            text += f"| `{c.name.path}` | `{_cell(c.name.signature)}` | `{_cell(c.ours)}` | {why} |\n"
    text += "\n## Missing\n"
    for space, members in sorted(rows.items()):
        missing = {c.name.path for c in members if not c.exists}
        missing = {p for p in missing if p.rsplit(".", 1)[0] not in missing}  # the class says it for its methods
        if missing:
            text += f"\n**`{space}`**: " + ", ".join(f"`{p[len(space) + 1 :] or p}`" for p in sorted(missing)) + "\n"
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "\\n")


def main(argv: list[str]) -> int:
    """Write the page, and print the share."""
    parser = argparse.ArgumentParser(prog="python -m tf2compat coverage", description="Write which public names of TensorFlow there are.")
    parser.add_argument("path", nargs="?", help="the page to write (docs/coverage.md of a checkout)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail unless the page is up to date")
    given = parser.parse_args(argv)
    check, names = given.check, [given.path] if given.path else []
    target = Path(names[0]) if names else Path(tf2compat.__file__).resolve().parents[1] / "docs" / "coverage.md"
    found = compare_all()
    text = page(found)
    have = sum(c.exists for c in found)
    print(f"{have} of {len(found)} public names exist ({have / len(found):.1%})")
    if check:
        same = target.exists() and target.read_text(encoding="utf-8") == text
        if not same:
            print(f"{target} is not up to date: run python -m tf2compat coverage", file=sys.stderr)
        return 0 if same else 1
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(f"wrote {target}")
    return 0
