"""Which part of a larger variable something is (`tf.Variable.SaveSliceInfo`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["SaveSliceInfo"]


class SaveSliceInfo:
    """A part of a variable: the whole's name and shape, the part's offset and shape (`tf.Variable.SaveSliceInfo`).

    `spec` is its text in checkpoints, such as "10 4 0,5:0,4".
    """

    def __init__(
        self, full_name: str | None = None, full_shape: Sequence[int] | None = None, var_offset: Sequence[int] | None = None,
        var_shape: Sequence[int] | None = None, save_slice_info_def: Any = None, import_scope: str | None = None,
    ) -> None:  # fmt: skip
        if save_slice_info_def is not None or import_scope is not None:
            raise ValueError("SaveSliceInfo: protocol buffers of TensorFlow 1 are not supported by tf2compat.")
        self.full_name = full_name
        self.full_shape = full_shape
        self.var_offset = var_offset
        self.var_shape = var_shape

    @property
    def spec(self) -> str:
        """The text by which checkpoints name the part."""
        shape = " ".join(str(int(d)) for d in self.full_shape or ())
        parts = ":".join(f"{int(o)},{int(s)}" for o, s in zip(self.var_offset or (), self.var_shape or (), strict=True))
        return f"{shape} {parts}"

    @classmethod
    def from_spec(cls, spec: str) -> SaveSliceInfo:
        """The part that a text names. ValueError when it names none."""
        *shape, parts = spec.strip().split(" ")
        pairs = [part.split(",") for part in parts.split(":")]
        if len(pairs) != len(shape) or any(len(pair) != 2 for pair in pairs):
            raise ValueError(f"Spec string must have comma-separated pairs for each dimension, got {spec!r}.")
        return cls(full_shape=[int(d) for d in shape], var_offset=[int(o) for o, _ in pairs], var_shape=[int(s) for _, s in pairs])
