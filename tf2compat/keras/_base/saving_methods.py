"""The methods of models that write and read files; the formats live elsewhere."""

from __future__ import annotations

import importlib
from typing import Any


def _files() -> Any:
    """The module that knows Keras' file formats."""
    try:
        return importlib.import_module("tf2compat.keras._files")
    except ModuleNotFoundError as error:
        if error.name != "tf2compat.keras._files":
            raise
        raise NotImplementedError("tf2compat does not write or read Keras files yet: use get_weights and to_json.") from None


def _name_at(path: tuple[Any, ...]) -> str:
    """What Keras calls an input by its place in a structure: "input_1" of a list's first, a dict's by their keys."""
    if not path:
        return "input_1"
    name = "_".join(str(part + 1 if isinstance(part, int) else part) for part in path)
    return f"input_{name}" if isinstance(path[0], int) else name


class Saving:
    """The part of a model that is saved and loaded."""

    def save(self, filepath: Any, overwrite: bool = True, save_format: str | None = None, **kwargs: Any) -> None:
        """Save architecture, weights, optimizer and compile arguments."""
        _files().save_model(self, filepath, overwrite=overwrite, save_format=save_format, **kwargs)

    def save_weights(self, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None) -> None:
        """Save the weights: `.h5`, `.weights.h5`, or a TensorFlow checkpoint."""
        _files().save_weights(self, filepath, overwrite=overwrite, save_format=save_format, options=options)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, options: Any = None) -> Any:
        """Load weights that `save_weights` saved."""
        return _files().load_weights(self, filepath, skip_mismatch=skip_mismatch, by_name=by_name, options=options)

    def export(self, filepath: Any) -> None:
        """Save the forward pass as a SavedModel."""
        _files().export_model(self, filepath)

    def _set_save_spec(self, inputs: Any, args: Any = None, kwargs: Any = None) -> None:
        """Declare what the model is called on, before it is called: tensors or their specs (libraries do, for their own models)."""
        from tf2compat import TensorSpec, TypeSpec
        from tf2compat._engine import nest

        if self.__dict__.get("_saved_call") is None:
            def spec(x: Any) -> Any:
                return x if isinstance(x, TypeSpec) else getattr(x, "_type_spec", None) or TensorSpec.from_tensor(x)

            self.__dict__["_saved_call"] = nest.map_structure(spec, inputs)
            if args or kwargs:
                self.__dict__["_saved_arguments"] = nest.map_structure(spec, (tuple(args or ()), dict(kwargs or {})))

    def save_spec(self, dynamic_batch: bool = True) -> Any:
        """TensorSpecs of the arguments of `call`, as (args, kwargs); None before the first call."""
        from tf2compat import TensorSpec
        from tf2compat._engine import nest

        seen = self.__dict__.get("_saved_call")
        declared = self.__dict__.get("inputs")
        alone = isinstance(seen, TensorSpec) and declared and len(declared) == 1  # what was declared, rather than what it was called on
        if seen is None or alone:
            if not self.__dict__.get("inputs"):
                return None

            def declared_spec(x: Any) -> Any:
                return x.type_spec if x._composite is not None else TensorSpec(x.shape, x.dtype, name=x._keras_history.layer.name)

            found = nest.map_structure(declared_spec, self.__dict__.get("_nested_inputs", self.__dict__["inputs"]))
            if dynamic_batch and self.__dict__.get("_inferred_for") is not None:  # by the batch that a Sequential was called on
                found = TensorSpec([None, *found.shape.as_list()[1:]], found.dtype, name=found.name)
            return ([found], {})

        def spec(entry: Any, name: str | None = None) -> Any:
            if not isinstance(entry, TensorSpec) or entry.shape.rank is None:
                return entry
            dims = entry.shape.as_list()
            if dynamic_batch and dims:
                dims[0] = None
            return TensorSpec(dims, entry.dtype, name=entry.name or name)

        paths = nest.flatten_with_paths(seen)
        named = [spec(entry, _name_at(path)) for path, entry in paths]
        first = nest.pack_sequence_as(seen, named)
        args, kwargs = nest.map_structure(spec, self.__dict__.get("_saved_arguments") or ((), {}))
        return ([first, *args], kwargs)
