"""Lambdas as bytes, for Keras' files; loading them runs code, so it is only done when the caller trusts the file."""

from __future__ import annotations

import base64
import json
import marshal
import sys
import types
from typing import Any

#: functions that this process has described: reading such a description again takes the function, and runs no code of a file
_described: dict[str, Any] = {}
_MOST = 1000


def _key(code: str, defaults: Any, closure: Any) -> str:
    return code.replace("\n", "") + json.dumps([defaults, closure], default=repr)


def remember(key: str, fn: Any) -> None:
    """Functions that this process describes are known when it reads the description back."""
    while len(_described) >= _MOST:
        del _described[next(iter(_described))]
    _described[key] = fn


def known(value: Any) -> Any:
    """The function of this process that a stored lambda, or a function's name, was made of; None for that of another."""
    if isinstance(value, str):
        return _described.get(value)
    code, defaults, closure = (value["code"], value["defaults"], value["closure"]) if isinstance(value, dict) else value
    return _described.get(_key(code, defaults, closure)) if isinstance(code, str) else None


def dump(fn: Any) -> dict[str, Any]:
    """Code, defaults and closure of a function, as Keras writes them."""
    code = base64.b64encode(marshal.dumps(fn.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in fn.__closure__) if fn.__closure__ else None
    remember(_key(code, fn.__defaults__, closure), fn)
    return {"code": code, "defaults": fn.__defaults__, "closure": closure}


def load(value: Any, space: dict[str, Any] | None = None) -> Any:
    """The function of `dump`'s description. The caller has been asked whether the source is trusted."""
    if isinstance(value, dict):
        code, defaults, closure = value["code"], value["defaults"], value["closure"]
    else:
        code, defaults, closure = value
    if isinstance(defaults, list):
        defaults = tuple(tuple(d) if isinstance(d, list) else d for d in defaults)
    cells = None if closure is None else tuple(types.CellType(c) for c in closure)
    if space is None:  # the names that the program's own lambda used are the program's
        space = {**globals(), **vars(sys.modules["__main__"])}
    return types.FunctionType(marshal.loads(base64.b64decode(code)), space, argdefs=defaults, closure=cells)
