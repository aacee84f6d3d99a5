"""`tf.keras.export`: SavedModels for serving, endpoint by endpoint."""

from __future__ import annotations

from typing import Any

import tf2compat as tf
from tf2compat._engine.trackable import AutoTrackable, Trackable, no_automatic_dependency_tracking

from ._base.layer import Layer

__all__ = ["ExportArchive"]


class ExportArchive(AutoTrackable):
    """Collects functions of layers and models and writes them as a SavedModel (`tf.keras.export.ExportArchive`).

    `track` what the functions use, `add_endpoint` for each function, then `write_out`. `tf.saved_model.load` gives an object whose
    endpoints are called without the program that made them.
    """

    def __init__(self) -> None:
        self._endpoint_names: Any = []
        self._endpoint_signatures: Any = {}
        self.tensorflow_version = tf.__version__
        self.variables: Any = []
        self.trainable_variables: Any = []
        self.non_trainable_variables: Any = []

    @no_automatic_dependency_tracking
    def track(self, resource: Any) -> None:
        """Have the variables and tables of a layer, model or module written too. ValueError for others, and for layers without weights yet."""
        if not isinstance(resource, Trackable):
            raise ValueError(
                "Invalid resource type. Expected an instance of a TensorFlow `Trackable` (such as a TF-Keras `Layer` or `Model`). "
                f"Received instead an object of type '{type(resource)}'. Object received: {resource}"
            )
        if isinstance(resource, Layer) and not resource.built:
            raise ValueError("The layer provided has not yet been built. It must be built before export.")
        kept = self.__dict__.setdefault("_tracked_resources", [])
        kept.append(resource)
        self._track_trackable(resource, f"_tracked_{len(kept) - 1}")
        if isinstance(resource, Layer):
            self.variables += resource.variables
            self.trainable_variables += resource.trainable_variables
            self.non_trainable_variables += resource.non_trainable_variables

    def add_endpoint(self, name: str, fn: Any, input_signature: Any = None) -> None:
        """A function under a name of the archive: with the specs of its arguments, or a `tf.function` that was called already."""
        if name in self._endpoint_names:
            raise ValueError(f"Endpoint name '{name}' is already taken.")
        if input_signature:
            decorated = tf.function(fn, input_signature=input_signature)
            self._endpoint_signatures[name] = input_signature
        elif hasattr(fn, "get_concrete_function"):
            if not _traces(fn):
                raise ValueError(
                    f"The provided tf.function '{fn}' has never been called. To specify the expected shape and dtype of the function's "
                    "arguments, you must either provide a function that has been called at least once, or alternatively pass an "
                    "`input_signature` argument in `add_endpoint()`."
                )
            decorated = fn
        else:
            raise ValueError(
                "If the `fn` argument provided is not a `tf.function`, you must provide an `input_signature` argument to specify the shape "
                "and dtype of the function arguments, e.g. add_endpoint(name='call', fn=model.call, "
                "input_signature=[tf.TensorSpec(shape=(None, 224, 224, 3), dtype=tf.float32)])"
            )
        setattr(self, name, decorated)
        self._endpoint_names.append(name)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """A list of variables as an attribute of what is loaded. ValueError for what is no variable."""
        if not isinstance(variables, (list, tuple, set)):
            raise ValueError(f"Expected `variables` to be a list/tuple/set. Received instead object of type '{type(variables)}'.")
        if not all(isinstance(v, tf.Variable) for v in variables):
            raise ValueError(
                "Expected all elements in `variables` to be `tf.Variable` instances. Found instead the following types: "
                f"{list({type(v) for v in variables})}"
            )
        setattr(self, name, list(variables))

    def write_out(self, filepath: Any, options: Any = None) -> None:
        """Write the SavedModel; the first endpoint is `serving_default` unless one is named so. ValueError without endpoints."""
        if not self._endpoint_names:
            raise ValueError("No endpoints have been set yet. Call add_endpoint().")
        signatures = {name: self._signature(name) for name in self._endpoint_names}
        signatures.setdefault("serving_default", self._signature(self._endpoint_names[0]))
        tf.saved_model.save(self, filepath, signatures, options)
        shown = "\n\n".join(_described(self._signature(name), name) for name in self._endpoint_names)
        print(f"Saved artifact at '{filepath}'. The following endpoints are available:\n\n{shown}")

    def _signature(self, name: str) -> Any:
        fn = getattr(self, name)
        return fn.get_concrete_function() if name in self._endpoint_signatures else _traces(fn)[0]


def _traces(fn: Any) -> list[Any]:
    from tf2compat.saved_model._functions import concretes_of

    return list(concretes_of(fn))


def _described(concrete: Any, name: str) -> str:
    lines = concrete.pretty_printed_signature(verbose=True).split("\n")
    return "\n".join([f"* Endpoint '{name}'", *lines[1:]])
