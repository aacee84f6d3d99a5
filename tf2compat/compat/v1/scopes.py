"""The variable scope of a program without graph mode: there is one, and libraries enter it again."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from tf2compat._top.names import name_scope as _Scope

from .graph_mode import gone


class name_scope(_Scope):  # noqa: N801 - TensorFlow's name
    """`tf.name_scope` with a name for when there is none (`tf.compat.v1.name_scope`). `values` told whose graph is meant."""

    def __init__(self, name: Any, default_name: Any = None, values: Any = None) -> None:
        found = default_name if name is None else name
        super().__init__("" if found is None else found)
        self._name_given = found

    @property
    def name(self) -> Any:
        return self._name_given


class VariableScope:
    """The scope that `get_variable_scope` gives (`tf.compat.v1.VariableScope`)."""

    def __init__(self) -> None:
        self.name = self.original_name_scope = ""
        self.reuse = False
        self.use_resource = True
        #: kept for who asks: variables are read where they are
        self.caching_device: Any = None

    def set_caching_device(self, caching_device: str | Callable[[Any], str] | None) -> None:
        self.caching_device = caching_device


_SCOPE = VariableScope()


def get_variable_scope() -> VariableScope:
    """The one scope of variables (`tf.compat.v1.get_variable_scope`)."""
    return _SCOPE


@contextlib.contextmanager
def _entered(scope: VariableScope) -> Iterator[VariableScope]:
    before = scope.caching_device
    try:
        yield scope
    finally:
        scope.caching_device = before


def variable_scope(name_or_scope: Any, default_name: Any = None, values: Any = None, use_resource: bool | None = None) -> Any:
    """Enters the scope there is once more; RuntimeError for one by name (`tf.compat.v1.variable_scope`)."""
    if name_or_scope is not _SCOPE or default_name is not None or values is not None:
        raise gone("variable_scope")
    if use_resource is False:
        raise ValueError("tf.compat.v1.variable_scope: use_resource=False is not supported by tf2compat; variables are always resource variables")
    return _entered(_SCOPE)
