"""Why a region cannot run otherwise than by replay."""

from __future__ import annotations

from typing import Any

__all__ = ["Unfit"]


class Unfit(Exception):
    """A region cannot be compiled or flattened; the message says why. `node`: what is at fault, where that is known; `whole`: no node is."""

    node: Any = None
    whole = False
