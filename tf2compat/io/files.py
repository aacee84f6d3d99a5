"""Whole files as strings."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from .._engine.dtypes import string
from .._engine.op import invalid, op, tensor
from .._files import os_error
from ..strings.elementwise import boxed, vector
from .remote import contents, local, opened

_NAME = tensor(string, group="name")


def _scalar(value: np.ndarray, what: str, op_name: str) -> bytes:
    if value.ndim:
        shape = ",".join(str(d) for d in value.shape)
        raise invalid(f"{what} tensor must be scalar, but had shape: [{shape}] [Op:{op_name}] name: ")
    return value[()]


@op("ReadFile", stateful=True, filename=_NAME)
def read_file(filename: Any, name: str | None = None) -> Any:
    """The whole contents of a file as a scalar string; NotFoundError when there is none (`tf.io.read_file`)."""
    path = _scalar(filename, "Input filename", "ReadFile")
    try:
        return boxed(contents(path))
    except OSError as error:
        raise os_error(error, os.fsdecode(path)) from error


@op("WriteFile", stateful=True, multi=True, filename=_NAME, contents=tensor(string, group="contents"))
def _write_file(filename: Any, contents: Any) -> Any:
    path, data = _scalar(filename, "Input filename", "WriteFile"), _scalar(contents, "Contents", "WriteFile")
    try:
        name = local(path)
        directory = os.path.dirname(name)
        if directory and "://" not in name:
            os.makedirs(directory, exist_ok=True)
        with opened(name, "wb") as file:
            file.write(data)
    except OSError as error:
        raise os_error(error, os.fsdecode(path)) from error
    return ()


def write_file(filename: Any, contents: Any, name: str | None = None) -> Any:
    """Write a scalar string as a file, in a new directory if need be (`tf.io.write_file`). None, or the operation in a graph."""
    from .._engine import state

    _write_file(filename, contents)
    if state.local.graph is not None:
        import tf2compat as tf

        return tf.no_op()
    return None


@op("MatchingFiles", stateful=True, pattern=_NAME)
def matching_files(pattern: Any, name: str | None = None) -> Any:
    """The names of the files that match shell patterns (`*`, `?`, `[a-z]`), sorted: [n] strings (`tf.io.matching_files`)."""
    from .gfile import matches

    found: set[bytes] = set()
    for p in pattern.reshape(-1):
        found.update(os.fsencode(f) for f in matches(os.fsdecode(p)))
    return vector(sorted(found))


read_file.strings(read_file.op.fn)
_write_file.strings(_write_file.op.fn)
matching_files.strings(matching_files.op.fn)
read_file.infer(lambda filename: [(string, ())])
_write_file.infer(lambda filename, contents: [])
matching_files.infer(lambda pattern: [(string, (None,))])


def match_filenames_once(pattern: Any, name: str | None = None) -> Any:
    """A variable of the files that match `pattern` now (`tf.io.match_filenames_once`)."""
    from .. import Variable

    return Variable(matching_files(pattern), trainable=False)
