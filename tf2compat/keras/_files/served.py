"""The signatures of a SavedModel that a Keras model was loaded from: read when a program first asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tf2compat._engine import trackable
from tf2compat._engine.trackable import AutoTrackable
from tf2compat._engine.variable import Variable


class _Served:
    """A signature that works with the model's variables as they are now."""

    def __init__(self, signature: Any, pairs: list[tuple[Variable, Variable]]) -> None:
        self._signature, self._pairs = signature, pairs

    def __call__(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        for loaded, own in self._pairs:
            loaded.assign(own)
        return self._signature(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name in ("_signature", "_pairs"):
            raise AttributeError(name)
        return getattr(self._signature, name)


class _SignatureMap(Mapping[str, Any]):
    """The signatures by name."""

    def __init__(self, path: str, model: Any) -> None:
        self._path, self._model, self._found = path, model, None

    def _signatures(self) -> dict[str, Any]:
        if self._found is None:
            from tf2compat.saved_model import load

            loaded = load(self._path)
            pairs = _pairs(loaded, self._model)
            self._found = {name: _Served(found, pairs) for name, found in loaded.signatures.items()}
        return self._found

    def __getitem__(self, name: str) -> Any:
        return self._signatures()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._signatures())

    def __len__(self) -> int:
        return len(self._signatures())

    def __repr__(self) -> str:
        return f"_SignatureMap({self._signatures()})"


def _pairs(loaded: Any, model: Any) -> list[tuple[Variable, Variable]]:
    """Variables of a loaded object and those of the model at the same places."""
    found, seen, waiting = [], set(), [(loaded, model)]
    while waiting:
        one, other = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        own = trackable.children(other)
        for name, child in trackable.children(one).items():
            mine = own.get(name)
            if isinstance(child, Variable):
                if isinstance(mine, Variable) and id(child) not in seen and mine is not child:
                    seen.add(id(child))
                    found.append((child, mine))
            elif isinstance(mine, trackable.Trackable) and isinstance(child, (AutoTrackable, trackable.Trackable)) and name != "optimizer":
                waiting.append((child, mine))
    return found
