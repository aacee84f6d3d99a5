"""`tensorflow.python.util.tf_inspect`: Python's `inspect`, with the namedtuple of older Pythons."""

from __future__ import annotations

import collections
import inspect
from inspect import (
    Parameter,
    getcallargs,
    getdoc,
    getfile,
    getframeinfo,
    getmembers,
    getmodule,
    getmro,
    getsource,
    getsourcefile,
    isbuiltin,
    isclass,
    isframe,
    isfunction,
    isgenerator,
    isgeneratorfunction,
    ismethod,
    ismodule,
    isroutine,
    signature,
    stack,
)
from typing import Any

__all__ = [
    "ArgSpec", "FullArgSpec", "Parameter", "getargspec", "getcallargs", "getdoc", "getfile", "getframeinfo", "getfullargspec", "getmembers", "getmodule",
    "getmro", "getsource", "getsourcefile", "isbuiltin", "isclass", "isframe", "isfunction", "isgenerator", "isgeneratorfunction", "ismethod", "ismodule", "isroutine",
    "signature", "stack",
]  # fmt: skip

ArgSpec = collections.namedtuple("ArgSpec", "args varargs keywords defaults")
FullArgSpec = inspect.FullArgSpec
_inspect = inspect


def getfullargspec(obj: Any) -> Any:
    """A function's parameters, without annotations: libraries compare them, and TensorFlow's functions have none."""
    return inspect.getfullargspec(obj)._replace(annotations={})


def getargspec(obj: Any) -> Any:
    """The names and defaults of a function's positional parameters."""
    full = getfullargspec(obj)
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)
