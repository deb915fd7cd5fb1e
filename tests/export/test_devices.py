"""The C library answers the same on processors that are emulated here, where compilers and emulators are installed."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def devices(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks/devices.py."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("devices")


@pytest.fixture(scope="module")
def found() -> list[tuple[str, str]]:
    """The hashes of the targets that were tested before."""
    return []


@pytest.mark.parametrize("name", ["x86-64, plain", "aarch64", "armv7, NEON"])
def test_a_processor_answers_as_the_others(devices, needs, found, c_folder, tmp_path, name) -> None:
    target = devices.TARGETS[name]
    needs(f"{target.triple}-gcc" if target.triple else "cc", *target.emulator[:1])
    row = devices.target_row(name, c_folder, None, tmp_path)
    assert row["as Python"] == "yes"
    found.append((row["networks"], row["reading"]))
    assert len(set(found)) == 1


def test_a_microcontroller_reads_a_digit_in_little_memory(devices, needs, c_folder, tmp_path) -> None:
    needs(f"{devices.BARE}-gcc", "qemu-system-arm")
    board = devices.BOARDS["Cortex-M4"]
    program = tmp_path / "selftest.elf"
    flags = ["-DHOSTED", "-DDIGITOCR_SELFTEST_SMALL", "--specs=rdimon.specs"]
    devices.firmware(board, [c_folder / "selftest.c"], flags, c_folder, None, program)
    assert devices.hashes("", "", devices.emulated(board, program))["as Python"] == "yes"
    row = devices.step_row("Cortex-M4", 1, c_folder, None, tmp_path)
    assert float(row["million instructions dsp"]) < 11
    assert row["arena (bytes)"] + row["stack (bytes)"] < 12 * 1024


def test_a_selftest_that_differs_is_told(devices) -> None:
    printed = "plain 01234567 ok\npicture 0: crops differ\nreading 89abcdef DIFFERS\n"
    row = devices.hashes("board", "gcc", printed)
    assert (row["networks"], row["reading"], row["kernels"]) == ("01234567", "89abcdef", "plain")
    assert "crops differ" in row["as Python"]


def test_a_selftest_that_crashes_is_an_error(devices, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="false"):
        devices.output(["false"], tmp_path)
