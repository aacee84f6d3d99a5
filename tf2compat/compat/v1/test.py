"""`tf.compat.v1.test`: `tf.test`, and what version 1 has besides."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import sys
import tempfile
from typing import Any
from unittest import mock

from tf2compat import test

__all__ = ["get_temp_dir", "mock", "test_src_dir_path"]


@functools.cache
def _temp_dir() -> str:
    main = os.path.basename(getattr(sys.modules["__main__"], "__file__", None) or "test")
    made = tempfile.mkdtemp(prefix=os.path.splitext(main)[0])
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def get_temp_dir() -> str:
    """A folder for the files of tests, the same for the whole process, which is removed at its end."""
    return _temp_dir()


def test_src_dir_path(relative_path: str) -> str:
    """The path of a file beside the tests, by the environment's TEST_SRCDIR (KeyError without it)."""
    return os.path.join(os.environ["TEST_SRCDIR"], "org_tensorflow/tensorflow", relative_path)


def __getattr__(name: str) -> Any:
    return getattr(test, name)
