"""Lambdas as bytes, for Keras' files; loading them runs code, so it is only done when the caller trusts the file."""

from __future__ import annotations

import base64
import marshal
import types
from typing import Any


def dump(fn: Any) -> dict[str, Any]:
    """Code, defaults and closure of a function, as Keras writes them."""
    code = base64.b64encode(marshal.dumps(fn.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in fn.__closure__) if fn.__closure__ else None
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
    return types.FunctionType(marshal.loads(base64.b64decode(code)), space if space is not None else globals(), argdefs=defaults, closure=cells)
