#!/usr/bin/env bash
# PyYAML 6.0.4 and ruamel.yaml 0.19.1 read each other's texts as numbers: `20:16` is 1216, `0089` is 89, `1e5` is 100000.
#
# Input: readings as texts, `20:16`, `12:30:00`, `0042`, `0089`, `1e5`, `12,5` and `4831.5`, written as YAML by the one
# library and read by the other. Guess: each puts texts into quotes that would be read as something else, as both do for
# `0042` and `4831.5`, so that they come back as they went.
# Seen: each quotes what it would misread itself. PyYAML is of YAML 1.1, where `20:16` without quotes is a number to the
# base of 60; ruamel.yaml is of YAML 1.2 and writes it without. The other way, PyYAML writes `0089` without quotes,
# since 8 and 9 are no octal digits, but quotes `0042`; and `1e5`, since its floats need a point. So of serial numbers
# with leading zeros those with an 8 or 9 lose them. Nothing warns. Issue 98 of yaml/pyyaml has `0089`, and says that
# it is as meant; issue 52 of remarshal-project/remarshal met the times of ruamel.yaml.
# Why it matters: labels and settings go from Python to Home Assistant, to JavaScript and to Go. A time on a display is
# a number of minutes, and few test cases have an 8 after a zero. Force quotes: default_style="'" in PyYAML, and
# SingleQuotedScalarString in ruamel.yaml.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyyaml==6.0.4 ruamel.yaml==0.19.1
cat > "$folder/show.py" << 'PYTHON'
import io
import sys
from importlib.metadata import version

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import SingleQuotedScalarString

print("PyYAML", version("pyyaml"), "ruamel.yaml", version("ruamel.yaml"))


def by_ruamel(values: list[str]) -> str:
    """Return the YAML that ruamel.yaml writes."""
    file = io.StringIO()
    YAML().dump(values, file)
    return file.getvalue()


ruamel = YAML(typ="safe", pure=True)
readings = ["20:16", "12:30:00", "0042", "0089", "1e5", "12,5", "4831.5"]
found = {}
for reading in readings:
    old, new = yaml.safe_dump([reading]), by_ruamel([reading])
    assert yaml.safe_load(old) == ruamel.load(new) == [reading]
    found[reading] = (yaml.safe_load(new)[0], ruamel.load(old)[0])
    print(f"{reading!r}: ruamel.yaml writes {new.strip()!r}, which PyYAML reads as {found[reading][0]!r};", end=" ")
    print(f"PyYAML writes {old.strip()!r}, which ruamel.yaml reads as {found[reading][1]!r}")
quoted = ruamel.load(yaml.safe_dump(readings, default_style="'")) == readings
quoted &= yaml.safe_load(by_ruamel([SingleQuotedScalarString(reading) for reading in readings])) == readings
print("with quotes, each reads the other's as they are:", quoted)
wanted = {reading: (reading, reading) for reading in readings}
wanted |= {"20:16": (1216, "20:16"), "12:30:00": (45000, "12:30:00"), "0089": ("0089", 89), "1e5": ("1e5", 100000.0)}
sys.exit(0 if found == wanted and quoted else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
