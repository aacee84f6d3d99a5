"""`tf.experimental.Optional`: a value that may be absent."""

from __future__ import annotations

from typing import Any

from .. import errors
from .._engine import nest, state
from .._engine.convert import convert_to_tensor
from .._engine.specs import OptionalSpec, type_spec_from_value
from .._engine.tensor import Tensor


class Optional:
    """A structure of tensors, or nothing (`tf.experimental.Optional`). Made by `from_value` and `empty`."""

    def has_value(self, name: str | None = None) -> Tensor:
        """Whether there is a value: a bool tensor."""
        raise NotImplementedError("Optional.has_value")

    def get_value(self, name: str | None = None) -> Any:
        """The value; InvalidArgumentError when there is none."""
        raise NotImplementedError("Optional.get_value")

    @property
    def element_spec(self) -> Any:
        raise NotImplementedError("Optional.element_spec")

    @staticmethod
    def empty(element_spec: Any) -> Optional:
        """Nothing, of the kind that `element_spec` says."""
        return _OptionalImpl(element_spec, None, False)

    @staticmethod
    def from_value(value: Any) -> Optional:
        """A value."""
        tensors = nest.map_structure(lambda v: v if hasattr(v, "_type_spec") else convert_to_tensor(v), value)
        return _OptionalImpl(nest.map_structure(type_spec_from_value, tensors), tensors, True)


class _OptionalImpl(Optional):
    def __init__(self, spec: Any, value: Any, present: bool) -> None:
        self._spec, self._value, self._present = spec, value, present

    def has_value(self, name: str | None = None) -> Tensor:
        return convert_to_tensor(self._present)

    def get_value(self, name: str | None = None) -> Any:
        if isinstance(self._present, Tensor) and state.local.graph is not None:
            from .._top.asserting import Assert

            Assert(self._present, ["The given optional does not have a value."])
            return self._value
        if not self._present:
            raise errors.InvalidArgumentError(None, None, "The given optional does not have a value. [Op:OptionalGetValue] name: ")
        return self._value

    @property
    def element_spec(self) -> Any:
        return self._spec

    def _tf_components(self) -> list[Any]:
        value = self._value
        if value is None:
            from .._engine.control import flat_specs
            from .._top.creation import zeros

            value = [zeros([d or 0 for d in s.shape.as_list() or ()] if s.shape.rank else [], s.dtype) for s in flat_specs(self._spec)]
        return [convert_to_tensor(self._present), *nest.flatten(value, expand_composites=True)]

    def _tf_from_components(self, components: list[Any]) -> _OptionalImpl:
        from .._engine.control import element

        return _OptionalImpl(self._spec, element(self._spec, components[1:]), components[0])

    @property
    def _type_spec(self) -> OptionalSpec:
        return OptionalSpec(self._spec)
