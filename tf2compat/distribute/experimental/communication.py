"""Options of the communication between replicas. With one replica they have nothing to say."""

from __future__ import annotations

import enum
from typing import Any


class CommunicationImplementation(enum.Enum):
    """Which library replicas communicate with (`tf.distribute.experimental.CommunicationImplementation`)."""

    AUTO = "AUTO"
    RING = "RING"
    NCCL = "NCCL"


CollectiveCommunication = CommunicationImplementation


class CommunicationOptions:
    """How replicas communicate (`tf.distribute.experimental.CommunicationOptions`); ValueError for a negative `bytes_per_pack`."""

    def __init__(
        self, bytes_per_pack: int = 0, timeout_seconds: Any = None, implementation: Any = CommunicationImplementation.AUTO
    ) -> None:
        if bytes_per_pack < 0:
            raise ValueError(f"Argument `bytes_per_pack` must be >=0, Received {bytes_per_pack}.")
        if isinstance(implementation, str):
            implementation = CommunicationImplementation(implementation.upper())
        if not isinstance(implementation, CommunicationImplementation):
            raise ValueError(
                "Argument `implementation` must be instance of `tf.distribute.experimental.CommunicationImplementation`."
            )
        self.bytes_per_pack = bytes_per_pack
        self.timeout_seconds = timeout_seconds
        self.implementation = implementation


class CollectiveHints(CommunicationOptions):
    """The older form of `CommunicationOptions`."""

    def __init__(self, bytes_per_pack: int = 0, timeout_seconds: Any = None) -> None:
        super().__init__(bytes_per_pack, timeout_seconds)
