"""The structures port: nested structures of specs and plain values as messages. TensorFlow's `StructuredValue` is `structures.tensorflow`."""

from __future__ import annotations

from typing import Any

from . import load


class NotEncodableError(Exception):
    """A value, or a kind of message, that has no place on the other side."""


def encode_structure(nested_structure: Any) -> Any:
    """The message for a structure; NotEncodableError for what it cannot hold (`nested_structure_coder.encode_structure`)."""
    return load("structures", "tensorflow").encode(nested_structure)


def decode_proto(proto: Any) -> Any:
    """The structure that a message describes; NotEncodableError for a kind that there is not here, ValueError for damage."""
    return load("structures", "tensorflow").decode(proto)
