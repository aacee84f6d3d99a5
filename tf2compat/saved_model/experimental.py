"""`tf.saved_model.experimental`: fingerprints of SavedModels, resources, how variables are saved."""

from __future__ import annotations

import enum
import os
from typing import Any

from tf2compat import _ports
from tf2compat._engine import state
from tf2compat._engine.devices import device_scope
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._names import module_getattr
from tf2compat.saved_model._loading import read_file
from tf2compat.train import _formats


class VariablePolicy(enum.Enum):
    """How variables are saved (`tf.saved_model.experimental.VariablePolicy`): with their devices, or each replica of a distributed one."""

    NONE = None
    SAVE_VARIABLE_DEVICES = "save_variable_devices"
    EXPAND_DISTRIBUTED_VARIABLES = "expand_distributed_variables"

    @staticmethod
    def from_obj(obj: Any) -> VariablePolicy:
        """A policy, None, or the text of one. ValueError for anything else."""
        if obj is None:
            return VariablePolicy.NONE
        if isinstance(obj, VariablePolicy):
            return obj
        for policy in VariablePolicy:
            if policy.value is not None and policy.value == str(obj).lower():
                return policy
        raise ValueError(f"Received invalid VariablePolicy value: {obj}.")


class TrackableResource(AutoTrackable):
    """Something that has to be made, and filled, before functions use it (`tf.saved_model.experimental.TrackableResource`).

    A subclass makes it in `_create_resource`, which is called when `resource_handle` is first asked for, and may fill it in `_initialize`
    and end it in `_destroy_resource`. The object is tracked like any other; a SavedModel holds no resource.
    """

    def __init__(self, device: str = "") -> None:
        self._resource_device = device
        self.__dict__["_resource_handle"] = None

    def _create_resource(self) -> Any:
        raise NotImplementedError("TrackableResource._create_resource not implemented.")

    def _initialize(self) -> Any:
        """Fills the resource."""

    def _destroy_resource(self) -> Any:
        """Ends the resource."""

    @property
    def resource_handle(self) -> Any:
        """What `_create_resource` made."""
        handle = self.__dict__.get("_resource_handle")
        if handle is None:
            with state.outside(), device_scope(self._resource_device or None):
                handle = self.__dict__["_resource_handle"] = self._create_resource()
        return handle


class Fingerprint:
    """What identifies a SavedModel (`tf.saved_model.experimental.Fingerprint`)."""

    def __init__(
        self,
        saved_model_checksum: int | None = None,
        graph_def_program_hash: int | None = None,
        signature_def_hash: int | None = None,
        saved_object_graph_hash: int | None = None,
        checkpoint_hash: int | None = None,
        version: int | None = None,
    ) -> None:
        self.saved_model_checksum = saved_model_checksum
        self.graph_def_program_hash = graph_def_program_hash
        self.signature_def_hash = signature_def_hash
        self.saved_object_graph_hash = saved_object_graph_hash
        self.checkpoint_hash = checkpoint_hash
        self.version = version

    def singleprint(self) -> str:
        """The hashes of program, signatures, objects and checkpoint in one text."""
        return "/".join(
            str(h) for h in (self.graph_def_program_hash, self.signature_def_hash, self.saved_object_graph_hash, self.checkpoint_hash)
        )

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Fingerprint) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))


def read_fingerprint(export_dir: Any) -> Fingerprint:
    """The fingerprint of a SavedModel that has one (`tf.saved_model.experimental.read_fingerprint`). FileNotFoundError if it has none."""
    path = os.path.join(_formats.path_text(export_dir), "fingerprint.pb")
    if not os.path.isfile(path):
        raise FileNotFoundError(f"SavedModel Fingerprint Error: Could not find fingerprint in directory: {os.path.dirname(path)}")
    found = _ports.load("protos", "tensorflow").FingerprintDef.FromString(read_file(path))
    return Fingerprint(
        found.saved_model_checksum, found.graph_def_program_hash, found.signature_def_hash, found.saved_object_graph_hash,
        found.checkpoint_hash, found.version.producer,
    )  # fmt: skip


__getattr__ = module_getattr("tf.saved_model.experimental")
