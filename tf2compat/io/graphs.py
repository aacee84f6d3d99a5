"""Graphs in files."""

from __future__ import annotations

import os
from typing import Any

from .gfile import GFile, makedirs

__all__ = ["write_graph"]


def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Write a graph, or a GraphDef message, to the file `name` in `logdir`; the file's path (`tf.io.write_graph`).

    As text or, with `as_text=False`, in the binary form. The file is for looking at: it cannot be run.
    """
    message = graph_or_graph_def.as_graph_def() if hasattr(graph_or_graph_def, "as_graph_def") else graph_or_graph_def
    if not hasattr(message, "SerializeToString"):
        raise TypeError(f"graph_or_graph_def must be a tf.Graph or a GraphDef message, got {type(graph_or_graph_def).__name__}")
    makedirs(logdir)
    path = os.path.join(logdir, name)
    with GFile(path, "wb") as file:
        file.write(str(message).encode() if as_text else message.SerializeToString())
    return path
