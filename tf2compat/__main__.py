"""`python -m tf2compat script.py [args]`: run a program that says `import tensorflow`, on PyTorch.

    python -m tf2compat script.py [args]     as python script.py [args]
    python -m tf2compat -m package.module    as python -m package.module
    python -m tf2compat -c "code"            as python -c "code"
    python -m tf2compat -                    the program from standard input
    python -m tf2compat COMMAND …            where, coverage, checkpoint, convert, saved_model
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import runpy
import sys
import types
from typing import Any

#: subcommand -> module whose `main(argv)` runs it; a script of that name wins
COMMANDS = {
    "where": "tf2compat._commands.where",
    "coverage": "tf2compat._commands.coverage",
    "checkpoint": "tf2compat_adapters.commands.checkpoint",
    "convert": "tf2compat_adapters.commands.convert",
    "saved_model": "tf2compat_adapters.commands.saved_model",
}


def main(argv: list[str] | None = None) -> int:
    """Run what the command line says; the exit status."""
    args = list(sys.argv[1:] if argv is None else argv)
    if not args or args[0] in ("-h", "--help"):
        print(__doc__, file=sys.stdout if args else sys.stderr)
        return 0 if args else 2
    first = args[0]
    if first in COMMANDS and not os.path.exists(first):
        return _command(first, args[1:])
    if first in ("-m", "-c") and len(args) < 2:
        print(f"Argument expected for the {first} option", file=sys.stderr)
        return 2
    if first.startswith("-") and first not in ("-", "-m", "-c"):
        print(f"unknown option {first}\n{__doc__}", file=sys.stderr)
        return 2

    from tf2compat import install_as_tensorflow

    install_as_tensorflow()
    _hide_our_frames()
    if first == "-m":
        _run_module(args[1], args[1:])
        return 0
    if first == "-c":
        _search_first("")
        _run_code(args[1], "<string>", ["-c", *args[2:]])
        return 0
    if first == "-":
        _search_first("")
        _run_code(sys.stdin.buffer.read(), "<stdin>", args)
        return 0
    return _run_script(first, args)


def _command(name: str, args: list[str]) -> int:
    try:
        module = importlib.import_module(COMMANDS[name])
    except ModuleNotFoundError as error:
        if error.name is None or not COMMANDS[name].startswith(error.name):
            raise
        print(f"tf2compat {name}: this command is not part of this installation ({error})", file=sys.stderr)
        return 2
    return int(module.main(args) or 0)


def _search_first(folder: str) -> None:
    """Put the program's folder where `python -m` put the current one; nothing where Python was told not to (-P, -I)."""
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        sys.path[0] = folder


def _new_main() -> dict[str, Any]:
    """A fresh `__main__` for the program; this file's own steps aside."""
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = sys.modules["builtins"]
    if sys.version_info < (3, 14):
        module.__dict__["__annotations__"] = {}
    sys.modules["__main__"] = module
    return module.__dict__


def _run_module(name: str, argv: list[str], alter_argv: bool = True) -> None:
    sys.argv = argv
    if alter_argv:
        _search_first(os.getcwd())
    _new_main()
    runpy._run_module_as_main(name, alter_argv)  # type: ignore[attr-defined] # what `python -m` itself calls


def _run_script(path: str, argv: list[str]) -> int:
    full = os.path.abspath(path)
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):
        _search_first(full)
        _run_module("__main__", argv, alter_argv=False)
        return 0
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file {full!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        return 2
    _search_first(os.path.dirname(os.path.realpath(path)))
    _run_code(source, full, argv)
    return 0


def _run_code(source: str | bytes, filename: str, argv: list[str]) -> None:
    sys.argv = argv
    space = _new_main()
    if filename != "<string>":
        space["__file__"] = filename
        space["__cached__"] = None
    if not filename.startswith("<"):
        space["__loader__"] = importlib.machinery.SourceFileLoader("__main__", filename)
    exec(compile(source, filename, "exec", dont_inherit=True), space)


def _hide_our_frames() -> None:
    """Let the traceback of an uncaught exception begin in the program, as Python's own does."""
    python_hook = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: types.TracebackType | None) -> None:
        last = step = trace
        while step is not None:  # what comes after the last of our frames is the program's
            if step.tb_frame.f_globals is globals_here:
                last = step.tb_next
            step = step.tb_next
        python_hook(kind, error.with_traceback(last), last)

    globals_here = globals()
    sys.excepthook = hook


if __name__ == "__main__":
    sys.exit(main())
