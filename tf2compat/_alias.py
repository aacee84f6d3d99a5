"""`import tensorflow` as this package: an alias for scripts that cannot be changed.

The alias has a module object and a `ModuleSpec` of its own, whose origin is None: torch's Dynamo skips the frames of every
package on its list of third parties (`tensorflow` is one), and finds their files by `importlib.util.find_spec`. A spec that
pointed at our files would make it skip us.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import sys
import types
from collections.abc import Sequence
from typing import Any

import tf2compat

ROOT = "tensorflow"
#: namespaces that are the package again under another name
_ROOTS = ("tensorflow.compat.v2", "tensorflow._api.v2.v2")
_PRIVATE = ("python", "core", "compiler", "lite.python", "dtensor.python", "tools", "include", "security")
_installed = False


class _TensorFlow(types.ModuleType):
    """The alias: every attribute is tf2compat's."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__version__", "__git_version__", "__compiler_version__"):
            raise AttributeError(name)
        return getattr(tf2compat, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("__"):
            super().__setattr__(name, value)
        else:  # a program that patches tf patches this package
            setattr(tf2compat, name, value)

    def __dir__(self) -> list[str]:
        return dir(tf2compat)


class _Loader(importlib.abc.Loader):
    def __init__(self, name: str) -> None:
        self.name = name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        if spec.name == ROOT or spec.name in _ROOTS:
            module = _TensorFlow(spec.name)
            module.__doc__ = tf2compat.__doc__
            module.__path__ = []
            return module
        return _target(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """The module is loaded already; importing must not leave its own spec replaced."""
        real = getattr(module, "__tf2compat_spec__", None)
        if real is not None:
            module.__spec__, module.__loader__ = real
            del module.__tf2compat_spec__  # type: ignore[attr-defined]


def _path(name: str) -> str:
    rest = name[len(ROOT) + 1 :]
    for prefix in ("compat.v2.", "_api.v2.v2."):
        if rest.startswith(prefix):
            rest = rest[len(prefix) :]
    return rest


def _target(name: str) -> types.ModuleType:
    """The module of this package that `tensorflow.x.y` names; ModuleNotFoundError when there is none."""
    rest = _path(name)
    if rest.split(".")[0] in ("python", "core", "compiler", "tools", "include"):
        raise ModuleNotFoundError(
            f"{name} is private to TensorFlow; tf2compat has TensorFlow's public API only. Import the name from `tensorflow` or "
            "`tensorflow.keras` instead.",
            name=name,
        )
    found: Any = tf2compat
    try:
        for part in rest.split("."):
            found = getattr(found, part)
    except AttributeError as error:
        raise ModuleNotFoundError(f"No module named {name!r}: {error}", name=name) from None
    if not isinstance(found, types.ModuleType):
        raise ModuleNotFoundError(f"No module named {name!r}; {rest} is a name, not a module", name=name)
    if not hasattr(found, "__tf2compat_spec__"):
        found.__tf2compat_spec__ = (found.__spec__, found.__loader__)  # type: ignore[attr-defined]
    return found


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != ROOT and not fullname.startswith(ROOT + "."):
            return None
        return importlib.machinery.ModuleSpec(fullname, _Loader(fullname), origin=None, is_package=True)

    def find_distributions(self, context: Any = None) -> Any:
        """`importlib.metadata.version("tensorflow")` answers the release that is followed."""
        if context is not None and context.name and context.name.lower().replace("_", "-") in ("tensorflow", "tensorflow-cpu"):
            yield _Distribution(context.name)


class _Distribution(importlib.metadata.Distribution):
    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str | None:
        if filename in ("METADATA", "PKG-INFO"):
            return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {tf2compat.__version__}\nSummary: tf2compat's alias\n"
        return None

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(f"{self._name} is an alias of tf2compat and has no files")


def _keep_tensorboard_to_its_stub() -> None:
    """`tensorboard.compat` would import `tensorflow` for file systems and records; its own stub serves it better."""
    try:
        if importlib.util.find_spec("tensorboard") is None:
            return
    except (ImportError, ValueError):
        return
    if "tensorboard.compat.notf" not in sys.modules:
        # the switch that tensorboard itself offers: importable means "do without TensorFlow"
        sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")


def _real_tensorflow() -> bool:
    for finder in sys.meta_path:
        if isinstance(finder, _Finder):
            continue
        find = getattr(finder, "find_spec", None)
        try:
            spec = find(ROOT, None) if find is not None else None
        except Exception:  # noqa: BLE001 - somebody else's finder
            spec = None
        if spec is not None:
            return True
    return False


def install_as_tensorflow() -> None:
    """From now on `import tensorflow` (and its public submodules) imports tf2compat in this process.

    An installed TensorFlow is shadowed, which is said once on stderr. Raises RuntimeError if TensorFlow itself was imported before.
    """
    global _installed
    if _installed:
        return
    loaded = sys.modules.get(ROOT)
    if loaded is not None and not isinstance(loaded, _TensorFlow):
        raise RuntimeError("install_as_tensorflow() must come before the first `import tensorflow`: TensorFlow itself is loaded.")
    if _real_tensorflow():
        print("tf2compat: `import tensorflow` means tf2compat in this process; the installed TensorFlow is not used.", file=sys.stderr)
    sys.meta_path.insert(0, _Finder())
    _keep_tensorboard_to_its_stub()
    _installed = True
    importlib.import_module(ROOT)
