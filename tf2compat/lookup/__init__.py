"""`tf.lookup`: tables from keys to values."""

from __future__ import annotations

from .._names import module_getattr
from . import experimental
from .initializers import KeyValueTensorInitializer, TextFileIndex, TextFileInitializer
from .tables import StaticHashTable, StaticVocabularyTable

__all__ = [
    "KeyValueTensorInitializer", "StaticHashTable", "StaticVocabularyTable", "TextFileIndex", "TextFileInitializer", "experimental",
]  # fmt: skip

__getattr__ = module_getattr("tf.lookup")
