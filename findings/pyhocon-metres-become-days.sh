#!/usr/bin/env bash
# pyhocon 0.3.63 reads `depth = 4831 m` as 3 days, 8:31:00, and `speed = 12 m/s` as the text 0:12:00/s.
#
# Input: settings in HOCON with a unit behind a number, without quotes: 4831 m, 4831.5 m, 12 m/s, 5 m deep, 12 kW and
# 4831 mm. As a control the same in quotes.
# Guess: each is the text that it is in the file, as the specification of HOCON says of values without quotes. There a
# text is made a duration when a program asks for one, and get_string gives it as it was written.
# Seen: 4831 m is a timedelta of 4831 minutes, and get_string gives "3 days, 8:31:00". 4831.5 m, 12 kW and 4831 mm are
# text. 12 m/s is "0:12:00/s" and 5 m deep is "0:05:00deep", so the number and the unit are gone. HOCONConverter writes
# 4831 m to JSON, YAML and properties as 289860000, and to HOCON as 3 days, without the hours; 36 h is 1 days there.
# In quotes all is right. Nothing warns. In the source a number with a unit of time is tried before text, and the
# writer asks for whole days first. agate does alike with columns of CSV. Issue 252 of chimpler/pyhocon takes it for
# wanted that 5 weeks is a duration; none that has metres was found.
# Why it matters: m is the metre, of lengths, water levels and lenses. The type of a setting changes when 4831.5 becomes
# 4831, and a file that is read and written again has lost a part of its times. Put values with units in quotes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyhocon==0.3.63 pyparsing==3.3.3
cat > "$folder/show.py" << 'PYTHON'
import json
import sys
from datetime import timedelta
from importlib.metadata import version

from pyhocon import ConfigFactory, HOCONConverter

wanted = [
    # a value, what it is without quotes, what get_string gives, and what is written as JSON and as HOCON
    ("4831 m", timedelta(minutes=4831), "3 days, 8:31:00", 289860000, "3 days"),
    ("36 h", timedelta(hours=36), "1 day, 12:00:00", 129600000, "1 days"),
    ("12 m/s", "0:12:00/s", "0:12:00/s", "0:12:00/s", '"0:12:00/s"'),
    ("5 m deep", "0:05:00deep", "0:05:00deep", "0:05:00deep", '"0:05:00deep"'),
    ("4831.5 m", "4831.5 m", "4831.5 m", "4831.5 m", '"4831.5 m"'),
    ("12 kW", "12 kW", "12 kW", "12 kW", '"12 kW"'),
    ("4831 mm", "4831 mm", "4831 mm", "4831 mm", '"4831 mm"'),
]
print("pyhocon", version("pyhocon"))
same = True
for value, *expected in wanted:
    read = ConfigFactory.parse_string(f"v = {value}\nlast = 1\n")
    found = [
        read["v"],
        read.get_string("v"),
        json.loads(HOCONConverter.to_json(read))["v"],
        HOCONConverter.to_hocon(read).splitlines()[0].removeprefix("v = "),
    ]
    quoted = ConfigFactory.parse_string(f'v = "{value}"\nlast = 1\n')["v"]
    print(f"{value}: {found[0]!r}, get_string {found[1]!r}, JSON {found[2]!r}, HOCON {found[3]}; in quotes {quoted!r}")
    same &= found == expected and quoted == value
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
