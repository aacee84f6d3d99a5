"""`tf.name_scope`."""

from __future__ import annotations

from typing import Any

from .._engine import state


class name_scope:  # noqa: N801 - TensorFlow's name
    """Prefix for the names of variables and ops that are made in the block (`tf.name_scope`)."""

    def __init__(self, name: Any) -> None:
        if not isinstance(name, str):
            raise ValueError("name for name_scope must be a string.")
        self._name = name
        self._saved: list[list[str]] = []

    @property
    def name(self) -> str:
        return self._name

    def __enter__(self) -> str:
        """Enter, and return the full scope with its trailing slash. A name that ends in `/` starts from the root."""
        names = state.local.names
        self._saved.append(names)
        if not self._name:
            state.local.names = []
            return ""
        if self._name.endswith("/"):
            state.local.names = [self._name[:-1]]
        else:
            graph = state.local.graph
            unique = self._name if graph is None else graph.unique_scope("/".join([*names, self._name]))[len("/".join([*names, ""])) :]
            state.local.names = [*names, unique]
        return "/".join(state.local.names) + "/"

    def __exit__(self, *exc: object) -> bool:
        state.local.names = self._saved.pop()
        return False


class CallableScope(name_scope):
    """The scope of a Keras layer, which programs may call for its text."""

    def __call__(self) -> str:
        return self._name + "/"


def get_current_name_scope() -> str:
    """The full name scope, without a trailing slash (`tf.get_current_name_scope`)."""
    return "/".join(state.local.names)
