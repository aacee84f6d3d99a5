"""`tf.distribute.experimental.rpc`: remote calls of TensorFlow functions, which are not supported."""

from __future__ import annotations

from typing import Any

from tf2compat import errors
from tf2compat._names import module_getattr

__all__ = ["Client", "Server"]


class Server:
    """A server of functions (`tf.distribute.experimental.rpc.Server`): not supported, UnimplementedError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise errors.UnimplementedError(None, None, "tf.distribute.experimental.rpc.Server is not supported.")

    @staticmethod
    def create(rpc_layer: str, address: str) -> Any:
        return Server(rpc_layer, address)


class Client:
    """A client of such a server (`tf.distribute.experimental.rpc.Client`): not supported, UnimplementedError."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise errors.UnimplementedError(None, None, "tf.distribute.experimental.rpc.Client is not supported.")

    @staticmethod
    def create(rpc_layer: str, address: str, name: str = "", timeout_in_ms: int = 0) -> Any:
        return Client(rpc_layer, address)


__getattr__ = module_getattr("tf.distribute.experimental.rpc")
