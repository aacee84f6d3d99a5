"""Keras' files: which format a path means, and TensorFlow checkpoints of weights. HDF5 and `.keras` archives are adapters."""

from __future__ import annotations

import os
import warnings
from typing import Any

from tf2compat import _ports
from tf2compat.keras._files.weights import load_checkpoint, save_checkpoint
from tf2compat.train import _formats

_HDF5 = (".h5", ".hdf5", ".keras")


def _may_write(path: str, overwrite: bool) -> bool:
    """Asks on the terminal, as Keras does, before a file is replaced that must not be replaced unasked."""
    if overwrite or not os.path.exists(path):
        return True
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"


def save_model(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    save_format: str | None = None,
    include_optimizer: bool = True,
    signatures: Any = None,
    options: Any = None,
    save_traces: bool = True,
) -> None:
    """Writes a model as a `.keras` archive, an HDF5 file (`.h5`) or a SavedModel directory (`tf.keras.models.save_model`).

    `save_format` is None (by the path's end), "keras", "h5" or "tf". Raises ValueError for another, NotImplementedError when a subclassed
    model without `get_config` is to be written to a file.
    """
    path = _formats.path_text(filepath)
    kind = save_format
    if kind is None:
        kind = "keras" if path.endswith(".keras") else "h5" if path.endswith(_HDF5) else "tf"
    kind = {"tensorflow": "tf", "hdf5": "h5", "h5py": "h5", "tf": "tf", "h5": "h5", "keras": "keras", "keras_v3": "keras"}.get(kind, kind)
    if kind == "keras":
        if not path.endswith(".keras"):
            raise ValueError(f"Invalid `filepath` argument: expected a `.keras` extension. Received: filepath={path}")
        given = {"include_optimizer": None if include_optimizer else include_optimizer, "signatures": signatures, "options": options}
        unknown = [name for name, value in given.items() if value is not None]
        if unknown:
            raise ValueError(
                "The following argument(s) are not supported with the native TF-Keras format: "
                f"{unknown}"
            )
        if _may_write(path, overwrite):
            _ports.load("model_file", "keras").save(model, path, include_optimizer)
    elif kind == "h5":
        warnings.warn(
            "You are saving your model as an HDF5 file via `model.save()`. This file format is considered legacy. We recommend using instead "
            "the native TF-Keras format, e.g. `model.save('my_model.keras')`.",
            stacklevel=3,
        )
        if signatures is not None or options is not None:
            raise ValueError("`signatures` and `options` are for the SavedModel format (save_format='tf'), not for HDF5 files.")
        if not getattr(model, "_is_graph_network", False) and type(model).__name__ != "Sequential" and not _has_own_config(model):
            raise NotImplementedError(
                "Saving the model to HDF5 format requires the model to be a Functional model or a Sequential model. It does not work for "
                "subclassed models, because such models are defined via the body of a Python method, which isn't safely serializable. "
                "Consider saving to the Tensorflow SavedModel format (by setting save_format=\"tf\") or using `save_weights`."
            )
        if _may_write(path, overwrite):
            _ports.load("model_file", "hdf5").save(model, path, include_optimizer)
    elif kind == "tf":
        if _may_write(path, overwrite):
            _ports.load("model_file", "saved_model").save(
                model, path, include_optimizer=include_optimizer, signatures=signatures, options=options, save_traces=save_traces
            )
    else:
        raise ValueError(f"Unknown `save_format` argument. Expected one of 'keras', 'tf', or 'h5'. Received: save_format={save_format}")


def _has_own_config(model: Any) -> bool:
    from tf2compat.keras._base.model import Model

    return type(model).get_config is not Model.get_config


def load_model(filepath: Any, custom_objects: dict[str, Any] | None = None, compile: bool = True, safe_mode: bool = True, **kwargs: Any) -> Any:
    """Reads what `save_model` or real Keras wrote (`tf.keras.models.load_model`).

    Raises OSError when there is nothing at the path, ValueError or DataLossError when it is damaged, and ValueError for a model with
    Python code in it (a Lambda layer of a lambda) unless `safe_mode` is False.
    """
    path = _formats.path_text(filepath)
    kwargs.pop("options", None)
    if kwargs:
        raise ValueError(f"The following argument(s) are not supported with the native TF-Keras format: {list(kwargs)}")
    if not os.path.exists(path):
        raise OSError(f"No file or directory found at {path}")
    kind = "saved_model"
    if not os.path.isdir(path):
        with open(path, "rb") as file:
            kind = "keras" if file.read(4) == b"PK\x03\x04" else "hdf5"
    model = _ports.load("model_file", kind).load(path, custom_objects, compile, safe_mode)
    _finalize(model)
    return model


def _finalize(model: Any) -> None:
    """Lets layers compute what follows from their restored variables, such as the statistics of Normalization."""
    if hasattr(model, "_flatten_layers"):
        for layer in model._flatten_layers():
            layer.finalize_state()


def save_weights(model: Any, filepath: Any, overwrite: bool = True, save_format: str | None = None, options: Any = None) -> None:
    """Writes a model's weights: to `.weights.h5` in the layout of `.keras` archives, to `.h5`, or as a TensorFlow checkpoint."""
    model._assert_weights_created()
    path = _formats.path_text(filepath)
    is_hdf5 = path.endswith(_HDF5)
    kind = save_format if save_format is not None else ("h5" if is_hdf5 else "tf")
    kind = {"tensorflow": "tf", "tf": "tf", "hdf5": "h5", "keras": "h5", "h5": "h5"}.get(str(kind).lower().strip())
    if kind is None:
        raise ValueError(f'Unknown format. Received: `save_format`={save_format}. Was expecting one of {{"tf", "h5"}}.')
    if kind == "tf" and is_hdf5:
        raise ValueError(
            f'save_weights got save_format="tf"/"tensorflow", but the filepath ("{path}") looks like an HDF5 file. Omit the ".h5"/".keras" when '
            "saving in TensorFlow format."
        )
    if kind == "tf":
        # Neither the archive's suffix nor a question: a checkpoint has no file of exactly this name.
        save_checkpoint(model, path, options)
    elif _may_write(path, overwrite):
        if path.endswith(".weights.h5"):
            _ports.load("model_file", "keras").save_weights(model, path)
        else:
            _ports.load("model_file", "hdf5").save_weights(model, path)


def _is_hdf5(path: str) -> bool:
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        return file.read(8) == b"\x89HDF\r\n\x1a\n"


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, options: Any = None) -> Any:
    """Reads what `save_weights` wrote, or the weights of a `.keras` archive or HDF5 model file.

    Returns a status object for a checkpoint, else None. With `by_name` (HDF5), layers are matched by name; with `skip_mismatch`, weights
    that do not fit are left as they are, with a warning. Raises ValueError when the weights do not fit.
    """
    path = _formats.path_text(filepath)
    if path.endswith((".weights.h5", ".keras")):
        _ports.load("model_file", "keras").load_weights(model, path, skip_mismatch)
        _finalize(model)
        return None
    if path.endswith((".h5", ".hdf5")) or _is_hdf5(path):
        if not model.built:
            raise ValueError(
                "Unable to load weights saved in HDF5 format into a subclassed Model which has not created its variables yet. Call the "
                "Model first, then load the weights."
            )
        _ports.load("model_file", "hdf5").load_weights(model, path, skip_mismatch, by_name)
        _finalize(model)
        return None
    if skip_mismatch and not by_name:
        raise ValueError(
            "When calling model.load_weights from a TensorFlow checkpoint, skip_mismatch can only be set to `True` when `by_name` is `True`."
        )
    if by_name:
        raise NotImplementedError(
            "Weights may only be loaded based on topology into Models when loading TensorFlow-formatted weights (got by_name=True to "
            "load_weights)."
        )
    if os.path.isfile(os.path.join(path, "saved_model.pb")):  # a whole SavedModel: its checkpoint
        path = os.path.join(path, "variables", "variables")
    status = load_checkpoint(model, path, options)
    _finalize(model)
    return status


def export_model(model: Any, filepath: Any) -> None:
    """Writes a model's forward pass as a SavedModel for serving."""
    _ports.load("model_file", "saved_model").export(model, _formats.path_text(filepath))
