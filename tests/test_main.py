"""`python -m tf2compat` against plain `python`: the same output, traceback and exit status for the same program."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENV = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "adapters"))), "OMP_NUM_THREADS": "1", "PYTHONSAFEPATH": ""}

SEES = """
import sys
print(sys.argv, __name__, __spec__ if __spec__ is None else __spec__.name, __package__, repr(sys.path[0]), sorted(globals()))
print(globals().get("__file__"), sys.modules["__main__"].__dict__ is globals())
"""
FAILS = """
def inner():
    return {}["missing"]
def outer():
    try:
        inner()
    except KeyError as error:
        raise ValueError("it went wrong") from error
outer()
"""


def run(args: list[str], cwd: Path, ours: bool, stdin: str = "") -> tuple[int, str, str]:
    command = [sys.executable, *(["-m", "tf2compat"] if ours else []), *args]
    done = subprocess.run(command, cwd=cwd, env=ENV, input=stdin, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


def same(args: list[str], cwd: Path, stdin: str = "") -> tuple[int, str, str]:
    """Both ways of running agree; what they gave."""
    theirs = run(args, cwd, False, stdin)
    ours = run(args, cwd, True, stdin)
    if "-c" in args:  # newer Pythons show the source lines of -c in tracebacks; only theirs has them
        theirs = (*theirs[:2], re.sub(r"(?m)^    .*\n", "", theirs[2]))
        ours = (*ours[:2], re.sub(r"(?m)^    .*\n", "", ours[2]))
    assert ours == theirs
    return ours


@pytest.fixture
def program(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "script.py").write_text(SEES + "import neighbour\n")
    (tmp_path / "sub" / "neighbour.py").write_text("print('found beside the script')\n")
    (tmp_path / "fails.py").write_text(FAILS)
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(SEES)
    (package / "module.py").write_text(SEES + FAILS)
    return tmp_path


def test_a_script(program: Path) -> None:
    code, out, _ = same(["sub/script.py", "a", "--flag", "-m"], program)
    assert code == 0 and "found beside the script" in out


def test_a_traceback(program: Path) -> None:
    code, _, err = same(["fails.py"], program)
    assert code == 1 and "ValueError: it went wrong" in err and "tf2compat" not in err


def test_a_syntax_error(program: Path) -> None:
    (program / "broken.py").write_text("x = 1\nif x\n    pass\n")
    code, _, err = same(["broken.py"], program)
    assert code == 1 and "SyntaxError" in err and "Traceback" not in err


def test_a_module(program: Path) -> None:
    assert same(["-m", "package.module", "x"], program)[0] == 1


def test_a_package_and_a_missing_module(program: Path) -> None:
    assert same(["-m", "package", "x", "-y"], program)[0] == 0
    assert same(["-m", "package.nowhere"], program)[0] == 1


def test_code(program: Path) -> None:
    assert same(["-c", SEES + "raise SystemExit(3)", "a", "-b"], program)[0] == 3


def test_standard_input(program: Path) -> None:
    code, out, _ = same(["-", "a"], program, stdin=SEES + "import sys; sys.exit('a message')")
    assert code == 1 and "['-', 'a']" in out


def test_a_missing_script(program: Path) -> None:
    code, _, err = same(["nowhere.py"], program)
    assert code == 2 and "can't open file" in err


def test_a_folder_and_an_archive(program: Path) -> None:
    with zipfile.ZipFile(program / "app.zip", "w") as archive:
        archive.writestr("__main__.py", SEES)
    assert same(["app.zip", "z"], program)[0] == 0
    assert same(["package", "z"], program)[0] == 0


def test_an_interrupt(program: Path) -> None:
    # a shell starts what runs in the background with interrupts ignored
    text = "import os, signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\nos.kill(os.getpid(), signal.SIGINT)\n"
    (program / "interrupted.py").write_text(text)
    code, _, err = same(["interrupted.py"], program)
    assert code == -signal.SIGINT and "KeyboardInterrupt" in err


def test_at_exit_and_a_hook_of_the_programs_own(program: Path) -> None:
    (program / "hooked.py").write_text(
        "import atexit, sys\n"
        "atexit.register(print, 'at exit')\n"
        "def hook(kind, error, trace): print('hook:', kind.__name__, trace.tb_frame.f_code.co_filename.endswith('hooked.py') or 'outside')\n"
        "sys.excepthook = hook\n"
        "1 / 0\n"
    )
    code, out, _ = run(["hooked.py"], program, ours=True)
    assert code == 1 and out.startswith("hook: ZeroDivisionError") and out.endswith("at exit\n")


def test_commands_and_wrong_calls(program: Path) -> None:
    code, out, _ = run(["--help"], program, ours=True)
    assert code == 0 and "script.py" in out
    assert run([], program, ours=True)[0] == 2
    assert run(["-m"], program, ours=True)[0] == 2
    code, _, err = run(["--nonsense"], program, ours=True)
    assert code == 2 and "--nonsense" in err
