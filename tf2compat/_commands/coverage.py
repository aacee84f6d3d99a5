"""`python -m tf2compat coverage`: write docs/coverage.md, the share of TensorFlow's public names that exist here."""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from tf2compat import _names

from .where import resolve

MISSING = object()


def lookup(path: str) -> Any:
    """The object behind a public name, or MISSING."""
    try:
        return resolve(path)
    except Exception:  # noqa: BLE001 - whatever a missing name raises
        return MISSING


def parameters(text: str) -> list[tuple[str, str]] | None:
    """(name, default) of each parameter of a signature in the table; None for one that is not a plain list."""
    if not text.startswith("(") or text == "(method)":
        return None
    out: list[tuple[str, str]] = []
    depth = 0
    part = ""
    for char in text[1:-1] + ",":
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        if char == "," and depth == 0:
            if part.strip():
                name, _, default = part.strip().partition("=")
                out.append((name.split(":")[0].strip(), default.strip()))
            part = ""
        else:
            part += char
    return out


def ours(obj: Any) -> list[tuple[str, str]] | None:
    """(name, default) of each parameter of a callable of this package."""
    try:
        signature = inspect.signature(obj.__init__ if inspect.isclass(obj) else obj)
    except (TypeError, ValueError, AttributeError):
        return None
    out = []
    for p in signature.parameters.values():
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        out.append((mark + p.name, "" if p.default is p.empty else repr(p.default)))
    return out


def agrees(theirs: list[tuple[str, str]], mine: list[tuple[str, str]]) -> bool:
    """Whether names, order and defaults are the same; a default that the table elides counts as equal."""
    if [n for n, _ in theirs] != [n for n, _ in mine]:
        return False
    for (_, a), (_, b) in zip(theirs, mine, strict=True):
        if a in ("...", b) or b.startswith("<"):
            continue
        try:
            if a.replace("tf.", "") == b.replace("tf.", "") or eval(a, {"__builtins__": {}}) == eval(b, {"__builtins__": {}}):  # noqa: S307
                continue
        except Exception:  # noqa: BLE001 - not literals
            pass
        return False
    return True


def measure() -> dict[str, dict[str, Any]]:
    """By namespace: names in all, names that exist, signatures compared and agreeing, the missing names."""
    spaces: dict[str, dict[str, Any]] = defaultdict(lambda: {"all": 0, "have": 0, "compared": 0, "agree": 0, "missing": []})
    for path, row in _names.table().items():
        parts = path.split(".")
        space = "tf" if len(parts) == 2 else ".".join(parts[:3] if parts[1] == "keras" and len(parts) > 3 else parts[:2])
        entry = spaces[space]
        entry["all"] += 1
        obj = lookup(path)
        if obj is MISSING:
            entry["missing"].append(path)
            continue
        entry["have"] += 1
        if row.kind == "function":
            theirs, mine = parameters(row.signature), ours(obj)
            if theirs is not None and mine is not None:
                entry["compared"] += 1
                entry["agree"] += agrees(theirs, mine)
    return dict(spaces)


def render(spaces: dict[str, dict[str, Any]]) -> str:
    total, have = sum(s["all"] for s in spaces.values()), sum(s["have"] for s in spaces.values())
    compared, agree = sum(s["compared"] for s in spaces.values()), sum(s["agree"] for s in spaces.values())
    lines = [
        "# Coverage of TensorFlow's public API",
        "",
        "Written by `python -m tf2compat coverage`; do not edit. A name that exists here works as tested; a name that is missing",
        "raises an error that says so. Signatures are those of functions: parameter names, order and defaults.",
        "",
        f"**{have} of {total} public names ({100 * have / total:.1f} %); {agree} of {compared} function signatures agree.**",
        "",
        "| namespace | names | exist | share | signatures that agree |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for space in sorted(spaces):
        s = spaces[space]
        lines.append(f"| `{space}` | {s['all']} | {s['have']} | {100 * s['have'] / s['all']:.0f} % | {s['agree']} of {s['compared']} |")
    lines += ["", "## Missing names", ""]
    for space in sorted(spaces):
        names = spaces[space]["missing"]
        if names:
            lines += [f"**`{space}`**: " + ", ".join(f"`{n.removeprefix('tf.')}`" for n in sorted(names)), ""]
    return "\n".join(lines).rstrip() + "\n"


def main(argv: list[str]) -> int:
    """Write the page (to the path given, docs/coverage.md by default) and print its summary line."""
    target = Path(argv[0]) if argv else Path("docs/coverage.md")
    text = render(measure())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    print(text.split("\n")[5].strip("*"), file=sys.stdout)
    print(f"wrote {target}")
    return 0
