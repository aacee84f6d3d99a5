"""Reading files of every kind whole."""

from __future__ import annotations

import os
import threading

import pytest

import tf2compat as tf


def test_files_whose_size_says_nothing(tmp_path):
    assert tf.io.read_file("/proc/self/status").numpy().startswith(b"Name:") if os.path.exists("/proc/self/status") else True
    (tmp_path / "empty").write_bytes(b"")
    assert tf.io.read_file(str(tmp_path / "empty")).numpy() == b""
    if hasattr(os, "mkfifo"):
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        content = os.urandom(300_000)
        writing = threading.Thread(target=pipe.write_bytes, args=(content,))
        writing.start()
        assert tf.io.read_file(str(pipe)).numpy() == content
        writing.join()


def test_errors_name_the_file(tmp_path):
    with pytest.raises(tf.errors.NotFoundError, match="none"):
        tf.io.read_file(str(tmp_path / "none"))
    with pytest.raises(tf.errors.OpError, match="directory"):
        tf.io.read_file(str(tmp_path))
