"""Why a region, or one call of it, cannot run otherwise than by replay."""

from __future__ import annotations

from typing import Any

__all__ = ["Missed", "Unfit"]


class Unfit(Exception):
    """A region cannot be compiled or flattened; the message says why. `node`: what is at fault, where that is known; `whole`: no node is."""

    node: Any = None
    whole = False


class Missed(Exception):
    """A flattened region met a truth value that is not the one it was recorded with. Nothing has happened to variables."""
