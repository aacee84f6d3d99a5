"""What failing programs say, compared with what TensorFlow says (`failing_programs.json`): the class, the user's lines, the words."""

import json
import pathlib
import re
import runpy

import pytest

import tf2compat as tf

HERE = pathlib.Path(__file__).parent
EXPECTED = json.loads((HERE / "failing_programs.json").read_text())
#: the line that called all of them when they were recorded
MAIN = str((HERE / "failing_programs.py").read_text().count("\n"))
#: TensorFlow compares the sizes of these while it traces, in words of its own, or shows Python frames of its own
OTHER_WORDS = {"ensure_shape", "numpy_function", "py_function", *(f"traced {name}" for name in "scatter slice stack subc".split())}
#: what a GPU's kernels do not look at
UNSEEN = {"embedding", "sparse ce"}
OTHER_CLASS = {"traced slice", "traced subc"}


@pytest.fixture(scope="module")
def actual():
    return runpy.run_path(str(HERE / "failing_programs.py"))["outcomes"](tf)


def core(text):
    """What is wrong, without the lines of the program and the attributes of the node."""
    text = re.split(r"^    \w+: (?=.)", text, flags=re.M)[-1].strip() if text.startswith("in user code") else text
    if text.startswith("Graph execution error"):
        text = text[text.rindex('  File "') :].partition("\n\n")[2]
    text = re.sub(r"(\{\{node [^}]*\}\} = \w+)\[[^\]]*\]", r"\1", text).replace("mul/ReadVariableOp", "Variable/ReadVariableOp")
    return re.sub(r" = BatchMatMulV2", " = MatMul", text).replace("AssertGuard/", "").replace("map/while", "while")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.host) if n in UNSEEN else n for n in sorted(EXPECTED)])
def test_what_is_raised(name, actual):
    expected = EXPECTED[name]
    if expected is None:
        assert actual[name] is None
        return
    kind, text = actual[name]
    if name not in OTHER_CLASS:
        assert kind == expected[0], text
        assert text.partition("\n")[0] == expected[1].partition("\n")[0] or "code" not in expected[1].partition("\n")[0]
        lines = re.findall(r'File "failing_programs.py", line (\d+)', expected[1])
        assert set(lines) - {MAIN} <= set(re.findall(r'File "failing_programs.py", line (\d+)', text)), text
    if name not in OTHER_WORDS:
        assert core(text) == core(expected[1])
