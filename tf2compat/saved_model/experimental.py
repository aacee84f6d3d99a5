"""`tf.saved_model.experimental`: fingerprints of SavedModels."""

from __future__ import annotations

import os
from typing import Any

from tf2compat import _ports
from tf2compat._names import module_getattr
from tf2compat.saved_model._loading import read_file
from tf2compat.train import _formats


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
        raise FileNotFoundError(f"SavedModel Fingerprint Error: there is no fingerprint at {path}")
    found = _ports.load("protos", "tensorflow").FingerprintDef.FromString(read_file(path))
    return Fingerprint(
        found.saved_model_checksum, found.graph_def_program_hash, found.signature_def_hash, found.saved_object_graph_hash,
        found.checkpoint_hash, found.version.producer,
    )  # fmt: skip


__getattr__ = module_getattr("tf.saved_model.experimental")
