"""`tf.tpu`: there are no TPUs here, which its functions say as TensorFlow does on machines without one."""

from __future__ import annotations

from typing import Any, NoReturn

from . import experimental

__all__ = ["XLAOptions", "experimental"]


class XLAOptions:
    """Options of compiling for TPUs. NotFoundError when it is made."""

    def __init__(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise experimental.absent("tf.tpu.XLAOptions")
