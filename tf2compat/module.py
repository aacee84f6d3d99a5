"""`tf.Module`: a named container of variables and other modules."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ._engine import nest
from ._engine.trackable import AutoTrackable
from ._engine.variable import Variable
from ._top.names import name_scope

_VALID = re.compile(r"^[A-Za-z_]([A-Za-z0-9_])*$")


def camel_to_snake(name: str) -> str:
    """`MyDense` → `my_dense`, the default name of a module."""
    return re.sub(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))", r"_\1", name).lower()


class Module(AutoTrackable):
    """Base class for things that have variables (`tf.Module`).

    Variables and modules are found in attributes, and in lists, tuples and dicts in attributes, in the order of the
    attributes' names. Raises ValueError for a name that is no Python identifier.
    """

    #: attributes that `variables` and `submodules` do not look into
    _TF_MODULE_IGNORED_PROPERTIES: frozenset[str] = frozenset()

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = camel_to_snake(type(self).__name__)
        elif not _VALID.match(name):
            raise ValueError(
                f"{name!r} is not a valid module name. Module names must be valid Python identifiers (e.g. a valid class name)."
            )
        self._name = name
        with name_scope(name) as scope:  # entered, so that a graph numbers modules of one name
            self._scope_name = scope

    @property
    def name(self) -> str:
        return self._name

    @property
    def name_scope(self) -> name_scope:
        """A `tf.name_scope` for the variables that this module makes."""
        return name_scope(self._scope_name)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The variables of this module and its submodules, this module's first."""
        return tuple(self._flatten(predicate=_is_variable))

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        return tuple(self._flatten(predicate=lambda v: _is_variable(v) and v.trainable))

    @property
    def non_trainable_variables(self) -> tuple[Variable, ...]:
        return tuple(self._flatten(predicate=lambda v: _is_variable(v) and not v.trainable))

    @property
    def submodules(self) -> tuple[Module, ...]:
        """All modules inside this one: its own, then those inside the first of them, and so on."""
        return tuple(self._flatten(predicate=lambda m: isinstance(m, Module)))

    @classmethod
    def with_name_scope(cls, method: Callable[..., Any]) -> Callable[..., Any]:
        """Decorator that enters the module's name scope around a method."""

        @functools.wraps(method)
        def method_with_name_scope(self: Any, *args: Any, **kwargs: Any) -> Any:
            with self.name_scope:
                return method(self, *args, **kwargs)

        return method_with_name_scope

    def _flatten(
        self,
        recursive: bool = True,
        predicate: Callable[[Any], bool] | None = None,
        attribute_traversal_key: Callable[[Any], Any] | None = None,
        with_path: bool = False,
        expand_composites: bool = False,
    ) -> Iterator[Any]:
        """The leaves of this module's attributes and its submodules' that satisfy `predicate`, each once (or once for each path):
        a module's own come before all of its first submodule's, and these before its second's."""
        wanted = predicate or (lambda _: True)
        key = attribute_traversal_key or (lambda name: name)
        seen: set[int] = {id(self)}  # with paths, of the modules that are being looked into: each path to a leaf is told

        def visit(module: Module, path: tuple[Any, ...]) -> Iterator[Any]:
            below: list[tuple[Module, tuple[Any, ...]]] = []
            for name, value in sorted(module._module_attributes(), key=lambda item: key(item[0])):
                if name in module._TF_MODULE_IGNORED_PROPERTIES or name == "_tracking":
                    continue
                for inner, leaf in _leaves(value, (name,), expand_composites):
                    if isinstance(leaf, (Variable, Module)) or predicate is None:
                        if id(leaf) in seen:
                            continue
                        if not with_path:
                            seen.add(id(leaf))
                    if wanted(leaf):
                        yield (path + inner, leaf) if with_path else leaf
                    if recursive and isinstance(leaf, Module):
                        below.append((leaf, path + inner))
            for leaf, inner in below:
                if with_path:
                    seen.add(id(leaf))
                yield from visit(leaf, inner)
                if with_path:
                    seen.discard(id(leaf))

        yield from visit(self, ())


    def _module_attributes(self) -> Iterable[tuple[str, Any]]:
        """What `_flatten` looks at, in the order of the names."""
        return vars(self).items()


def _is_variable(value: Any) -> bool:
    return isinstance(value, Variable)


def _leaves(value: Any, path: tuple[Any, ...], expand: bool) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, Mapping):
        try:
            keys = nest.sorted_keys(value)
        except TypeError:
            keys = list(value)
        for k in keys:
            yield from _leaves(value[k], (*path, k), expand)
    elif isinstance(value, (list, tuple)):
        for i, v in enumerate(value):
            yield from _leaves(v, (*path, i), expand)
    else:
        yield path, value
