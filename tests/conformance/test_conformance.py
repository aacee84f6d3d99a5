"""Replays on tf2compat what real TensorFlow answered (see README.md)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import harness  # noqa: E402

XFAIL = harness.HERE / "xfail.txt"


def read_xfail() -> dict[tuple[str, str], str]:
    """``file: case title`` lines under ``[reason]`` headings."""
    reason, entries = "", {}
    for line in XFAIL.read_text(encoding="utf-8").splitlines():
        if line.startswith("[") and line.endswith("]"):
            reason = line[1:-1]
        elif line.strip() and not line.startswith("#"):
            assert reason, f"an entry before any [reason]: {line}"
            file, title = line.split(": ", 1)
            entries[file, title] = reason
    return entries


RECORDINGS = {p.stem: harness.load_recording(p.stem) for p in harness.case_files()}
EXPECTED_FAILURES = read_xfail()


def parameters():
    for path in harness.case_files():
        for case in harness.parse(path):
            if "unsupported" in RECORDINGS[case.file].get(case.key, ()):
                continue
            reason = EXPECTED_FAILURES.get((case.file, case.title))
            marks = [pytest.mark.xfail(reason=reason, strict=True)] if reason else []
            yield pytest.param(case, id=f"{case.file}:{case.title[:110]}", marks=marks)


#: numbers by seed are TensorFlow's where they are drawn in the host's memory
BY_SEED = re.compile("random_|_seeds$|glimpses")
#: what kernels of the host say of indices and labels, which those of a GPU do not look at, TensorFlow's neither
UNSEEN = re.compile("not in \\[|does not index|out of range|outside|value_range|seq_lens|CPU:0")


#: rounded otherwise by arithmetic of other precision, as by TensorFlow's own kernels there
ROUNDED = re.compile(r"tf\.cast\(.*-3\.7.*u(16|32|64)|fake_quant_with_min_max_args\(x\) ::")


def otherwise_on_a_gpu(case: harness.Case, expected: dict, found: dict) -> None:
    """Skip what is otherwise there with a reason."""
    if BY_SEED.search(case.file) or "seed" in case.source:
        pytest.skip("numbers by seed are a GPU's own there")
    if case.raises and "value" in found and UNSEEN.search(str(expected)):
        pytest.skip("a GPU's kernels do not look at indices")
    if ROUNDED.search(case.source):
        pytest.skip("a GPU rounds it otherwise")
    if "CPU:0" in str(expected) + case.source and not case.raises:
        pytest.skip("tells where tensors are")


@pytest.fixture(scope="session")
def tf():
    import tf2compat

    return tf2compat


@pytest.mark.parametrize("case", parameters())
def test_case(case: harness.Case, tf) -> None:
    expected = RECORDINGS[case.file].get(case.key)
    assert expected is not None, "not recorded: run tests/conformance/record.py under TensorFlow"
    found = harness.run(case, tf)
    if tf.config.list_physical_devices("GPU"):
        otherwise_on_a_gpu(case, expected, found)
    differences = harness.conformance(case, expected, found)
    if differences:
        pytest.fail(f"cases/{case.file}.txt:{case.line}\n{case.source}\n" + "\n".join(differences), pytrace=False)


def test_every_expected_failure_is_a_case() -> None:
    cases = {(c.file, c.title) for p in harness.case_files() for c in harness.parse(p)}
    assert not EXPECTED_FAILURES.keys() - cases


def test_every_recording_belongs_to_a_case() -> None:
    for path in harness.case_files():
        stale = RECORDINGS[path.stem].keys() - {c.key for c in harness.parse(path)}
        assert not stale, f"{path.stem}: {stale}"


def test_at_least_150_wrong_calls() -> None:
    assert sum(c.raises for p in harness.case_files() for c in harness.parse(p)) >= 150
