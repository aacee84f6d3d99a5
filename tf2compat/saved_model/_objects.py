"""Objects of loaded SavedModels."""

from __future__ import annotations

from typing import Any

from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable
from tf2compat.train._saving import Tree


class UserObject(AutoTrackable):
    """An object of a loaded SavedModel."""

    def _slot_for_restore(self, variable: Variable, slot: str) -> Variable | None:
        """What an optimizer keeps for a variable under the name `slot`; None where it keeps nothing."""
        return next((value for owner, name, value in self._slots_for_save() if owner is variable and name == slot), None)

    def _slots_for_save(self) -> list[tuple[Variable, str, Variable]]:
        return self.__dict__.get("_slots", [])

    def __getattr__(self, name: str) -> Any:
        """All variables of the object and of what it holds, those that are trained or not, where no attribute of this name was saved."""
        if name not in ("variables", "trainable_variables", "non_trainable_variables"):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        optimizer = self.__dict__.get("optimizer")  # what a compiled model was trained by is none of its variables
        counted = set() if optimizer is None else {id(item) for item in Tree(optimizer).objects}
        found = tuple(v for v in self._held_variables() if id(v) not in counted)
        return found if name == "variables" else tuple(v for v in found if v.trainable is (name == "trainable_variables"))

    def _held_variables(self) -> list[Variable]:
        return [item for item in Tree(self).objects if isinstance(item, Variable)]
