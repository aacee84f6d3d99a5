"""`tf.keras.layers.InputSpec`: what a layer accepts, and the check of it before each call."""

from __future__ import annotations

from typing import Any

from tf2compat._engine import dtypes, nest
from tf2compat._engine.shapes import TensorShape


class InputSpec:
    """Rank, dtype and shape constraints of one input (`tf.keras.layers.InputSpec`).

    None leaves a property free. `axes` maps axis numbers to sizes. `allow_last_axis_squeeze` also accepts inputs whose
    last axis of size 1 is missing (or extra). `optional` accepts None for the input.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = dtypes.as_dtype(dtype).name if dtype is not None else None
        shape = None if shape is None else TensorShape(shape)
        if shape is not None and shape.rank is None:
            self.ndim, self.shape = None, None
        elif shape is not None:
            self.shape = tuple(shape.as_list())
            self.ndim = len(self.shape)
        else:
            self.ndim, self.shape = ndim, None
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.name = name
        self.optional = optional
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        try:
            self.axes = {int(k): axes[k] for k in axes or {}}
        except (ValueError, TypeError):
            raise TypeError("Argument `axes` must be a dict with integer keys. Received: axes={axes}".format(axes=axes)) from None
        if self.axes and (self.ndim is not None or self.max_ndim is not None):
            top = (self.ndim if self.ndim else self.max_ndim) - 1  # type: ignore[operator]
            if max(self.axes) > top:
                raise ValueError(f"Axis {max(self.axes)} is greater than the maximum allowed value: {top}")

    def __repr__(self) -> str:
        fields = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        shown = ", ".join(f"{f}={getattr(self, f)}" for f in fields if getattr(self, f))
        return f"InputSpec({shown})"

    def get_config(self) -> dict[str, Any]:
        return {k: getattr(self, k) for k in ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        return cls(**config)

    @property
    def simple(self) -> tuple[int | None, int | None, tuple[tuple[int, int], ...]] | None:
        """(ndim, min_ndim, axes) when nothing else is constrained: what most layers ask for."""
        if self.dtype or self.shape is not None or self.max_ndim is not None or self.allow_last_axis_squeeze or self.optional:
            return None
        return (self.ndim, self.min_ndim, tuple((a, v) for a, v in self.axes.items() if v is not None))


def _shown(shape: TensorShape) -> str:
    return str(tuple(shape.as_list())) if shape.rank is not None else "<unknown>"


def assert_compatible(spec: Any, inputs: Any, layer_name: str) -> None:
    """ValueError, with Keras' words, when `inputs` break a layer's `input_spec`."""
    if not spec:
        return
    specs = nest.flatten(spec)
    if isinstance(inputs, dict) and all(getattr(s, "name", None) is not None for s in specs):
        named = []
        for s in specs:
            if s.name not in inputs:
                raise ValueError(f'Missing data for input "{s.name}". You passed a data dictionary with keys {list(inputs)}. '
                                 f"Expected the following keys: {[x.name for x in specs]}")  # fmt: skip
            named.append(inputs[s.name])
        inputs = named
    inputs = nest.flatten(inputs)
    absent = [x is None and i < len(specs) and getattr(specs[i], "optional", False) for i, x in enumerate(inputs)]
    for x, none in zip(inputs, absent, strict=True):
        if not none and not hasattr(x, "shape"):
            raise TypeError(f"Inputs to a layer should be tensors. Got '{x}' (of type {type(x)}) as input for layer '{layer_name}'.")
    if len(inputs) != len(specs):
        raise ValueError(
            f"Layer \"{layer_name}\" expects {len(specs)} input(s), but it received {len(inputs)} input tensors. Inputs received: {inputs}"
        )
    for i, (x, s) in enumerate(zip(inputs, specs, strict=True)):
        if s is not None and not absent[i]:
            _check(s, x, i, layer_name)


def _check(spec: InputSpec, x: Any, i: int, layer_name: str) -> None:
    shape = x.shape if isinstance(x.shape, TensorShape) else TensorShape(tuple(x.shape))
    rank = shape.rank
    if rank is None:
        return
    wrong = f'Input {i} of layer "{layer_name}" is incompatible with the layer: '
    if spec.ndim is not None and not spec.allow_last_axis_squeeze and rank != spec.ndim:
        raise ValueError(f"{wrong}expected ndim={spec.ndim}, found ndim={rank}. Full shape received: {_shown(shape)}")
    if spec.max_ndim is not None and rank > spec.max_ndim:
        raise ValueError(f"{wrong}expected max_ndim={spec.max_ndim}, found ndim={rank}")
    if spec.min_ndim is not None and rank < spec.min_ndim:
        raise ValueError(f"{wrong}expected min_ndim={spec.min_ndim}, found ndim={rank}. Full shape received: {_shown(shape)}")
    if spec.dtype is not None and dtypes.as_dtype(x.dtype).name != spec.dtype:
        raise ValueError(f"{wrong}expected dtype={spec.dtype}, found dtype={dtypes.as_dtype(x.dtype)}")
    dims = shape.as_list()
    for axis, value in spec.axes.items():
        if value is not None and dims[int(axis)] not in (value, None):
            raise ValueError(
                f"{wrong}expected axis {axis} of input shape to have value {value}, but received input with shape {_shown(shape)}"
            )
    if spec.shape is None:
        return
    wanted: list[Any] = list(spec.shape)
    if spec.allow_last_axis_squeeze:
        if dims and dims[-1] == 1:
            dims = dims[:-1]
        if wanted and wanted[-1] == 1:
            wanted = wanted[:-1]
    for want, dim in zip(wanted, dims, strict=False):  # a wrong rank is left to the layers inside, as Keras does
        if want is not None and dim is not None and want != dim:
            raise ValueError(f"{wrong}expected shape={spec.shape}, found shape={_shown(shape)}")
