"""`tf.version`: the TensorFlow release whose behaviour this package follows."""

from __future__ import annotations

from . import __compiler_version__, __git_version__, __version__

VERSION = __version__
GIT_VERSION = __git_version__
COMPILER_VERSION = __compiler_version__
GRAPH_DEF_VERSION = 2474
GRAPH_DEF_VERSION_MIN_CONSUMER = 0
GRAPH_DEF_VERSION_MIN_PRODUCER = 0
