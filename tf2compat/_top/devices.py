"""`tf.device` and device names."""

from __future__ import annotations

from typing import Any

from .._engine.devices import device_scope


def device(device_name: Any) -> device_scope:
    """Make tensors and run ops on a device inside the block, as in `with tf.device("/GPU:0")` (`tf.device`).

    A device that is absent is replaced by one that is there (soft placement), unless
    `tf.config.set_soft_device_placement(False)`; InvalidArgumentError then.
    """
    return device_scope(device_name)


class DeviceSpec:
    """The parts of a TensorFlow device name (`tf.DeviceSpec`)."""

    __slots__ = ("_job", "_replica", "_task", "_device_type", "_device_index")

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self._job = None if job is None else str(job)
        self._replica = None if replica is None else int(replica)
        self._task = None if task is None else int(task)
        self._device_type = None if device_type is None else str(device_type).upper() if device_type.lower() in ("cpu", "gpu") else device_type
        self._device_index = None if device_index is None else int(device_index)

    @property
    def job(self) -> str | None:
        return self._job

    @property
    def replica(self) -> int | None:
        return self._replica

    @property
    def task(self) -> int | None:
        return self._task

    @property
    def device_type(self) -> str | None:
        return self._device_type

    @property
    def device_index(self) -> int | None:
        return self._device_index

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Parse a name such as "/job:worker/replica:0/task:1/device:GPU:3"; ValueError when malformed."""
        found: dict[str, Any] = {}
        for part in filter(None, spec.split("/")):
            bits = part.split(":")
            key = bits[0].lower()
            if key == "job" and len(bits) == 2:
                found["job"] = bits[1]
            elif key in ("replica", "task") and len(bits) == 2:
                found[key] = int(bits[1])
            elif key == "device" and len(bits) in (2, 3):
                found["device_type"] = bits[1]
                found["device_index"] = None if len(bits) == 2 or bits[2] == "*" else int(bits[2])
            elif key in ("cpu", "gpu") and len(bits) <= 2:
                found["device_type"] = key
                found["device_index"] = None if len(bits) == 1 or bits[1] == "*" else int(bits[1])
            else:
                raise ValueError(f"Unknown attribute '{bits[0]}' is encountered while parsing the device spec: '{spec}'.")
        return cls(**found)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        return self.from_string(spec)

    def to_string(self) -> str:
        out = ""
        if self._job is not None:
            out += f"/job:{self._job}"
        if self._replica is not None:
            out += f"/replica:{self._replica}"
        if self._task is not None:
            out += f"/task:{self._task}"
        if self._device_type is not None:
            out += f"/device:{self._device_type}:{'*' if self._device_index is None else self._device_index}"
        return out

    def _parts(self) -> dict[str, Any]:
        return {k: getattr(self, "_" + k) for k in ("job", "replica", "task", "device_type", "device_index")}

    def replace(self, **kwargs: Any) -> DeviceSpec:
        return DeviceSpec(**(self._parts() | kwargs))

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """This spec, overridden by what `dev` sets."""
        return DeviceSpec(**(self._parts() | {k: v for k, v in dev._parts().items() if v is not None}))

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        return f"<DeviceSpec {self.to_string()!r}>"
