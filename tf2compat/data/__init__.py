"""`tf.data`: input pipelines."""

from __future__ import annotations

from typing import Any

from .._names import module_getattr
from .dataset import AUTOTUNE, Dataset, DatasetSpec
from .iterator import Iterator, IteratorSpec, NumpyIterator
from .options import Options, ThreadingOptions

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2

__all__ = [
    "AUTOTUNE", "Dataset", "DatasetSpec", "INFINITE_CARDINALITY", "Iterator", "IteratorSpec", "NumpyIterator", "Options",
    "ThreadingOptions", "UNKNOWN_CARDINALITY",
]  # fmt: skip

_missing = module_getattr("tf.data")
_LATER = {"TFRecordDataset": "readers", "TextLineDataset": "readers", "FixedLengthRecordDataset": "readers", "experimental": "experimental"}
# beside TensorFlow's names: other libraries' data sets
_LATER |= {"from_torch": "foreign", "from_hugging_face": "foreign", "to_torch": "foreign"}


def __getattr__(name: str) -> Any:
    home = _LATER.get(name)
    if home is None:
        raise _missing(name)
    import importlib

    try:
        module = importlib.import_module(f"{__name__}.{home}")
    except ModuleNotFoundError as error:
        if error.name != f"{__name__}.{home}":
            raise
        raise _missing(name) from None
    return module if name == home else getattr(module, name)
