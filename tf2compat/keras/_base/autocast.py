"""Variables that read as a layer's compute dtype while it is being called (mixed precision)."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.tensor import Tensor
from tf2compat._engine.variable import Variable

from .context import calling


class AutoCastVariable(Variable):
    """A variable of a mixed-precision layer: stored in one dtype, read in the compute dtype inside `call`."""

    _created = True

    def _stored(self) -> Tensor:
        """The value in the dtype that it is stored in."""
        cast, calling.autocast = calling.autocast, None
        try:
            return self.read_value()
        finally:
            calling.autocast = cast

    def _target(self) -> Any:
        want = calling.autocast
        return None if want is None or want is self._dtype or not want.is_floating else want

    @property
    def dtype(self) -> Any:
        return self._target() or self._dtype

    @property
    def true_dtype(self) -> Any:
        return self._dtype

    def _as_tensor(self) -> Tensor:
        value = super()._as_tensor()
        want = self._target()
        if want is None:
            return value
        from tf2compat import cast

        return cast(value, want)

    def _read(self) -> Any:
        storage = super()._read()
        want = self._target()
        return storage if want is None else storage.to(want.torch)

    def __repr__(self) -> str:
        return f"<AutoCastVariable '{self.name}' shape={self.shape} dtype={self._dtype.name} dtype_to_cast_to={self.dtype.name}, numpy={self.numpy()!r}>"
