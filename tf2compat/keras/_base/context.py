"""What the layers of a thread are being called for: the stack of calls, the training phase, symbolic construction."""

from __future__ import annotations

import threading
from typing import Any


class _Calling(threading.local):
    def __init__(self) -> None:
        self.depth = 0
        self.layer: Any = None
        #: what the outermost explicit `training` said; None when nobody said anything
        self.training: Any = None
        #: shapes are being found out: no losses, metrics or variables' values are to change
        self.inferring = False
        #: a layer is being connected to symbolic tensors: what it adds to the losses is remembered as a symbol
        self.connecting = False
        #: a layer of this thread has added a loss during a call
        self.lossy = False
        #: (result, metric) of the latest call of a metric, for `add_metric`
        self.measured = (None, None)
        #: the dtype that automatically cast variables read as
        self.autocast: Any = None
        #: the global learning phase of `tf.keras.backend.set_learning_phase`
        self.phase: Any = None


calling = _Calling()
