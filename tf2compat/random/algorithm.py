"""The names of the algorithms behind `tf.random`."""

from __future__ import annotations

import enum
from typing import Any


class Algorithm(enum.IntEnum):
    """How random numbers are made (`tf.random.Algorithm`). Philox is the one here; AUTO_SELECT chooses it."""

    PHILOX = 1
    THREEFRY = 2
    AUTO_SELECT = 3

    __str__ = enum.Enum.__str__


_NAMES = {"philox": Algorithm.PHILOX, "threefry": Algorithm.THREEFRY, "auto_select": Algorithm.AUTO_SELECT}


def as_algorithm(alg: Any) -> Algorithm:
    """An algorithm by name, number or member; ValueError for others."""
    if isinstance(alg, str):
        found = _NAMES.get(alg.lower())
    else:
        try:
            found = Algorithm(int(alg))
        except (ValueError, TypeError):
            found = None
    if found is None:
        raise ValueError(
            f"Argument `alg` got unsupported value {alg}. Supported values are philox for the Philox algorithm, threefry for the ThreeFry "
            "algorithm, and auto_select for auto-selection."
        )
    return found


def check_algorithm(alg: Any) -> None:
    """InvalidArgumentError for ThreeFry, which TensorFlow has only on TPUs."""
    if alg == "auto_select" or as_algorithm(alg) is not Algorithm.THREEFRY:
        return
    from .._engine.op import invalid

    raise invalid("The ThreeFry algorithm is not supported: use 'philox' or 'auto_select' [Op:StatelessRandomUniformV2] name: ")
