"""`python -m tf2compat script.py [args]`: run a program that says `import tensorflow`, on PyTorch.

    python -m tf2compat script.py [args]     as python script.py
    python -m tf2compat -m package.module    as python -m
    python -m tf2compat -c "code"            as python -c
    python -m tf2compat -                    the program from standard input
    python -m tf2compat COMMAND …            where, coverage, checkpoint, convert, saved_model
"""

from __future__ import annotations

import importlib
import os
import runpy
import sys
import types

#: subcommand -> module whose `main(argv)` runs it
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
        print(__doc__)
        return 0 if args else 2
    first = args[0]
    if first in COMMANDS and not os.path.exists(first):
        return int(importlib.import_module(COMMANDS[first]).main(args[1:]) or 0)
    from tf2compat import install_as_tensorflow

    install_as_tensorflow()
    if first == "-m":
        if len(args) < 2:
            print("Argument expected for the -m option", file=sys.stderr)
            return 2
        sys.argv = args[1:]
        sys.path[0] = os.getcwd()
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    elif first == "-c":
        if len(args) < 2:
            print("Argument expected for the -c option", file=sys.stderr)
            return 2
        sys.argv = ["-c", *args[2:]]
        sys.path[0] = ""
        _run_code(args[1], "<string>", None)
    elif first == "-":
        sys.argv = args
        sys.path[0] = ""
        _run_code(sys.stdin.read(), "<stdin>", None)
    elif first.startswith("-"):
        print(f"unknown option {first}\n{__doc__}", file=sys.stderr)
        return 2
    else:
        return _run_script(first, args)
    return 0


def _run_script(path: str, args: list[str]) -> int:
    sys.argv = args
    if os.path.isdir(path) or path.endswith((".zip", ".pyz")):
        sys.path[0] = path
        runpy.run_path(path, run_name="__main__")
        return 0
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        print(f"{sys.executable}: can't open file {os.path.abspath(path)!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        return 2
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    _run_code(source, path, path)
    return 0


def _run_code(source: str | bytes, filename: str, file: str | None) -> None:
    """Run a program as `__main__`, with tracebacks that begin in it."""
    main_module = types.ModuleType("__main__")
    space = main_module.__dict__
    space.update(__builtins__=__builtins__, __annotations__={})
    if file is not None:
        space["__file__"] = file
    sys.modules["__main__"] = main_module
    try:
        exec(compile(source, filename, "exec", dont_inherit=True), space)
    except SystemExit:
        raise
    except BaseException as error:
        # the frames of this file are no concern of the program's
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        if isinstance(error, KeyboardInterrupt):
            raise error.with_traceback(trace)
        sys.excepthook(type(error), error.with_traceback(trace), trace)
        sys.stdout.flush()
        raise SystemExit(1) from None


if __name__ == "__main__":
    sys.exit(main())
