"""`tf.distribute.Server`."""

from __future__ import annotations

from typing import Any

from tf2compat import errors


class Server:
    """A TensorFlow server in this process (`tf.distribute.Server`): not supported, UnimplementedError."""

    def __init__(
        self, server_or_cluster_def: Any, job_name: Any = None, task_index: Any = None, protocol: Any = None, config: Any = None, start: bool = True
    ) -> None:
        raise errors.UnimplementedError(None, None, "tf.distribute.Server is not supported: a program runs on one process; use torch.distributed.")
