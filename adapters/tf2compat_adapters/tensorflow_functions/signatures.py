"""What TensorFlow's graph ops take and give, as recorded in `signatures.txt` (by `tests/conformance/record_op_signatures.py`)."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import NamedTuple


class Argument(NamedTuple):
    """An input or output: a dtype, or the attributes that hold dtype (`type`), count (`number`) or list of dtypes (`types`)."""

    name: str
    dtype: str | None
    type: str | None
    number: str | None
    types: str | None


class Attribute(NamedTuple):
    """What an attribute holds, whether it may be left out, the values it may have (empty: any), and the dtype that it has where it is left out."""

    kind: str
    optional: bool
    allowed: frozenset[str]
    default: str


class Signature(NamedTuple):
    """An op's inputs, outputs and attributes."""

    name: str
    stateful: bool
    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    attributes: dict[str, Attribute]


def _argument(text: str, attributes: dict[str, Attribute]) -> Argument:
    name, _, kind = text.partition(":")
    if kind.startswith("["):
        return Argument(name, None, None, None, kind[1:-1])
    number, star, rest = kind.rpartition("*")
    plain = rest if rest not in attributes else None
    return Argument(name, plain, None if plain else rest, number if star else None, None)


def _attribute(text: str) -> Attribute:
    kind, optional, default = text.partition("?")
    kind, _, allowed = kind.partition("{")
    return Attribute(kind, bool(optional), frozenset(allowed.rstrip("}").split(";")) if allowed else frozenset(), default)


@cache
def _lines() -> dict[str, str]:
    text = resources.files(__package__).joinpath("signatures.txt").read_text(encoding="ascii")
    return {line.split("|", 1)[0].rstrip("!"): line for line in text.splitlines()}


@cache
def signature(name: str) -> Signature | None:
    """The signature of the op of this name, or None where it is not known."""
    line = _lines().get(name)
    if line is None:
        return None
    head, inputs, outputs, attrs = line.split("|")
    attributes = {}
    for item in attrs.split(",") if attrs else ():
        key, _, kind = item.partition("=")
        attributes[key] = _attribute(kind)
    return Signature(
        name, head.endswith("!"), tuple(_argument(i, attributes) for i in inputs.split(",") if i),
        tuple(_argument(o, attributes) for o in outputs.split(",") if o), attributes,
    )  # fmt: skip
