"""`tf.version`: the TensorFlow release whose behaviour this package follows."""

from __future__ import annotations

from . import __version__

VERSION = __version__
GIT_VERSION = f"v{__version__}-tf2compat"
COMPILER_VERSION = "PyTorch"
GRAPH_DEF_VERSION = 2474
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0
