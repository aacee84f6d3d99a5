"""`tf.random`: seeds, random numbers that go on from call to call, stateless ones, and generators."""

from __future__ import annotations

from .seeding import set_seed
from .stateful import normal, truncated_normal, uniform
