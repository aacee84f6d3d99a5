"""`import tensorflow` as this package: an alias for scripts that cannot be changed.

The alias has a module object and a `ModuleSpec` of its own, whose origin is None: torch's Dynamo skips the frames of every
package on its list of third parties (`tensorflow` is one), and finds their files by `importlib.util.find_spec`. A spec that
pointed at our files would make it skip us.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.metadata
import multiprocessing.spawn
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tf2compat

ROOT = "tensorflow"
#: Keras 2 under the names of its own packages
_KERAS = ("keras", "tf_keras")
_STUB_SWITCH = "tensorboard.compat.notf"
#: prefixes under which the whole API is found again
_AGAIN = ("tensorflow.compat.v2", "tensorflow._api.v2.v2")
#: parts of TensorFlow that are not its public API
_PRIVATE = frozenset("python core compiler tools include security tsl _api dtensor".split())
#: distributions that a program may ask the version of
_DISTRIBUTIONS = frozenset(("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tf-keras"))
_installed = False


class _TensorFlow(types.ModuleType):
    """The alias: every attribute is tf2compat's, kept here once it was asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in ("__all__", "__internal__", "__version__", "__git_version__", "__compiler_version__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(tf2compat, name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if not name.startswith("__"):  # a program that patches tf patches this package
            setattr(tf2compat, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            super().__delattr__(name)
        if not name.startswith("__"):
            delattr(tf2compat, name)

    def __dir__(self) -> list[str]:
        return dir(tf2compat)


class _Loader(importlib.abc.Loader):
    """Gives `tensorflow.x.y` the module object that `tf2compat.x.y` is: classes and isinstance agree."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        if spec.name.split(".")[0] in _KERAS:
            module = _keras_target(spec.name)
            spec.loader_state = module.__spec__
            return module
        if spec.name == ROOT or spec.name in _AGAIN:
            module = _TensorFlow(spec.name)
            module.__doc__ = tf2compat.__doc__
            return module
        module = _target(spec.name)
        # the import system is about to put the alias' spec on it; exec_module puts its own back
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: types.ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.loader is self and spec.loader_state is not None:
            module.__spec__ = spec.loader_state


def _target(name: str) -> types.ModuleType:
    """The module of this package that `tensorflow.x.y` names; ModuleNotFoundError when there is none."""
    rest = name[len(ROOT) + 1 :]
    for again in _AGAIN:
        if name.startswith(again + "."):
            rest = name[len(again) + 1 :]
    parts = rest.split(".")
    if parts[0] == "python":
        from tf2compat import _private

        private = _private.find(name)
        if private is not None:
            return private
    if parts[:2] == ["keras", "src"]:
        return _keras_target(".".join(parts))
    if parts[0] in ("core", "compiler"):
        from tf2compat import _private

        generated = getattr(_private, parts[0])(tuple(parts[1:]))
        if generated is not None:
            return generated
    if parts[0] in _PRIVATE or "python" in parts[:2]:
        raise ModuleNotFoundError(
            f"No module named {name!r}: it is private to TensorFlow, and tf2compat has no public names for it. "
            "Import the name from `tensorflow` or one of its public modules instead.",
            name=name,
        )
    found: Any = tf2compat
    try:
        for part in parts:
            found = getattr(found, part)
    except AttributeError as error:
        raise ModuleNotFoundError(f"No module named {name!r}: {error}", name=name) from None
    if not isinstance(found, types.ModuleType):
        raise ModuleNotFoundError(f"No module named {name!r}; tf.{rest} is not a module", name=name)
    return found


def _keras_target(name: str) -> types.ModuleType:
    """The module that `keras.x.y` or `tf_keras.x.y` names; ModuleNotFoundError when there is none."""
    inner = name.partition(".")[2]
    inner = "" if inner in ("src", "api", "api._v2", "api._v2.keras") else inner.removeprefix("src.")
    if not inner:
        return importlib.import_module("tf2compat.keras")
    from tf2compat import _private
    from tf2compat._names import table

    # below keras.src are modules inside of public ones, which a public module does not find
    public = ".src." not in name and f"tf.keras.{inner}" in table()
    found = None if public else _private.keras(inner)
    return _target(f"{ROOT}.keras.{inner}") if found is None else found


@functools.cache
def _stands_in_for(package: str) -> bool:
    """Whether `import keras` or `import tf_keras` means Keras 2 of this package: not where Keras 3, which brings its own backends, is installed."""
    if package == "tf_keras":
        return True
    try:
        return int(importlib.metadata.version("keras").split(".")[0]) < 3
    except importlib.metadata.PackageNotFoundError:
        return True


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == _STUB_SWITCH:
            return importlib.machinery.ModuleSpec(fullname, _StubSwitch(), origin=None)
        top = fullname.partition(".")[0]
        if top != ROOT and not (top in _KERAS and _stands_in_for(top)):
            return None
        return importlib.machinery.ModuleSpec(fullname, _Loader(), origin=None, is_package=True)

    def find_distributions(self, context: Any = None) -> Iterator[importlib.metadata.Distribution]:
        """`importlib.metadata.version("tensorflow")` answers the release that is followed."""
        name = getattr(context, "name", None)
        if name and name.lower().replace("_", "-") in _DISTRIBUTIONS:
            yield _Distribution(name)


class _Distribution(importlib.metadata.Distribution):
    def __init__(self, name: str) -> None:
        self._name = name

    def read_text(self, filename: str) -> str | None:
        if filename in ("METADATA", "PKG-INFO"):
            return f"Metadata-Version: 2.1\nName: {self._name}\nVersion: {tf2compat.__version__}\nSummary: alias of tf2compat\n"
        return None

    def locate_file(self, path: Any) -> Any:
        raise FileNotFoundError(f"{self._name} is an alias of tf2compat and has no files")


class _StubSwitch(importlib.abc.Loader):
    """`tensorboard.compat` would take `tensorflow` for its file systems and records; its own stub serves it better.

    The module is tensorboard's own switch: where it can be imported, tensorboard does without TensorFlow. Only what writes summaries
    (`tensorboard.plugins.hparams.api`, `tensorboard.summary.v2`) needs the API, as `compat.v2`, and gets this package.
    """

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        stub = importlib.import_module("tensorboard.compat.tensorflow_stub")
        stub.compat.v2 = tf2compat


class _InstallInChild:
    """Installs the alias in a process where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return install_as_tensorflow, ()


def _install_in_spawned_processes() -> None:
    """A spawned child imports the main script anew, and must find the alias before."""
    plain = multiprocessing.spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        # the child unpickles this dict before it imports anything of the program; unknown keys are not looked at
        return {"tf2compat": _InstallInChild(), **plain(name)}

    multiprocessing.spawn.get_preparation_data = get_preparation_data


def _real_tensorflow() -> bool:
    for finder in sys.meta_path:
        try:
            if finder.find_spec(ROOT, None) is not None:
                return True
        except Exception:  # noqa: BLE001 - somebody else's finder
            continue
    return False


def install_as_tensorflow() -> None:
    """From now on `import tensorflow` (and its public submodules) imports tf2compat in this process and its children.

    An installed TensorFlow is shadowed, which is said once on stderr. Raises RuntimeError if TensorFlow itself was imported before.
    """
    global _installed
    if _installed:
        return
    if ROOT in sys.modules:
        raise RuntimeError("install_as_tensorflow() must come before the first `import tensorflow`: TensorFlow itself is loaded.")
    if _real_tensorflow() and multiprocessing.parent_process() is None:
        print("tf2compat: `import tensorflow` means tf2compat in this process; the installed TensorFlow is not used.", file=sys.stderr)
    sys.meta_path.insert(0, _Finder())
    _install_in_spawned_processes()
    _installed = True
    importlib.import_module(ROOT)
