"""What `restore` returns: assertions about how well the checkpoint and the program fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf2compat import _ports
from tf2compat._engine.variable import Variable
from tf2compat.train._restoring import Restoration, node_names
from tf2compat.train._saving import Tree, own_tensors


class CheckpointLoadStatus:
    """The outcome of restoring a checkpoint: `assert_consumed`, `assert_existing_objects_matched`, `expect_partial`."""

    def __init__(self, restoration: Restoration, root: Any, attached: Mapping[str, Any], skip_slots: bool) -> None:
        self._restoration = restoration
        self._root = root
        self._attached = attached
        self._skip_slots = skip_slots

    def _unmatched(self) -> list[Any]:
        matched = {id(item) for item in self._restoration.objects.values()}
        return [item for item in Tree(self._root, self._attached).objects if id(item) not in matched and own_tensors(item)]

    def assert_consumed(self) -> CheckpointLoadStatus:
        """Raises AssertionError unless every value of the checkpoint and every object of the program found its counterpart."""
        self.assert_existing_objects_matched()
        nodes = self._restoration.nodes
        ignored = {number for node in nodes for _, _, number in node.slots} if self._skip_slots else set()
        for number, node in enumerate(nodes):
            if node.attributes and number not in ignored and number not in self._restoration.objects:
                text = _ports.load("object_graph", "tensorflow").describe(node)
                raise AssertionError(f"Unresolved object in checkpoint {node_names(nodes)[number]}: {text}")
        if self._restoration.unused:
            names = node_names(nodes)
            lines = [f"{names[n]} ({self._restoration.objects[n]}): {name}" for n, name in self._restoration.unused.items()]
            raise AssertionError(
                "Unused attributes in these objects (the attributes exist in the checkpoint but were not restored):\n" + "\n".join(lines)
            )
        return self

    def assert_existing_objects_matched(self) -> CheckpointLoadStatus:
        """Raises AssertionError if an object of the program that has state found no value in the checkpoint."""
        unmatched = self._unmatched()
        if unmatched:
            shown = min(10, len(unmatched))
            raise AssertionError(
                f"Found {len(unmatched)} Python objects that were not bound to checkpointed values, likely due to changes in the Python "
                f"program. Showing {shown} of {len(unmatched)} unmatched objects: {unmatched[:shown]}"
            )
        return self

    def assert_nontrivial_match(self) -> CheckpointLoadStatus:
        """Raises AssertionError if nothing but the root object was matched."""
        if len(self._restoration.objects) <= 1:
            unmatched = self._unmatched()
            if unmatched:
                raise AssertionError(
                    "Nothing except the root object matched a checkpointed value. Typically this means that the checkpoint does not "
                    f"match the Python program. The following objects have no matching checkpointed value: {unmatched}"
                )
            raise AssertionError(f"Nothing to load. No dependencies have been added to {self._root} yet.")
        return self

    def expect_partial(self) -> CheckpointLoadStatus:
        """Silences the warnings about values that are never used."""
        self._restoration.leftover.silent = True
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Does nothing: the values were restored already."""

    def initialize_or_restore(self, session: Any = None) -> None:
        """Does nothing: the values were restored already."""


class InitializationOnlyStatus:
    """The outcome of restoring nothing (`restore(None)`): every assertion fails."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def _nothing(self) -> AssertionError:
        return AssertionError("No checkpoint specified (save_path=None); nothing is being restored.")

    def assert_consumed(self) -> InitializationOnlyStatus:
        raise self._nothing()

    def assert_existing_objects_matched(self) -> InitializationOnlyStatus:
        raise self._nothing()

    def assert_nontrivial_match(self) -> InitializationOnlyStatus:
        raise self._nothing()

    def expect_partial(self) -> InitializationOnlyStatus:
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        raise self._nothing()

    def initialize_or_restore(self, session: Any = None) -> None:
        """Does nothing: variables have their initial values."""


class NameBasedSaverStatus:
    """The outcome of restoring a checkpoint without a tree (TensorFlow 1's `Saver`), by the names of variables."""

    def __init__(self, missing: list[Variable], optional: list[Variable]) -> None:
        skipped = {id(variable) for variable in optional}
        self._missing = [variable for variable in missing if id(variable) not in skipped]

    def assert_consumed(self) -> NameBasedSaverStatus:
        """Raises AssertionError if the checkpoint has no value for some variable."""
        if self._missing:
            listing = "".join(f"\n    {variable!r}: ['VARIABLE_VALUE']" for variable in self._missing)
            raise AssertionError(f"Some objects had attributes which were not restored: {listing}")
        return self

    def assert_existing_objects_matched(self) -> NameBasedSaverStatus:
        return self.assert_consumed()

    def assert_nontrivial_match(self) -> NameBasedSaverStatus:
        return self.assert_consumed()

    def expect_partial(self) -> NameBasedSaverStatus:
        return self

    def run_restore_ops(self, session: Any = None) -> None:
        """Does nothing: the values were restored already."""

    def initialize_or_restore(self, session: Any = None) -> None:
        """Does nothing: the values were restored already."""


def variables_of(root: Any, attached: Mapping[str, Any]) -> list[Variable]:
    """The variables of a tree."""
    return [item for item in Tree(root, attached).objects if isinstance(item, Variable)]


