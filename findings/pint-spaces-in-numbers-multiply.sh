#!/usr/bin/env bash
# pint 0.25.3 and astropy 8.0.2 multiply the groups of a number: "12 345 m" is 4140 m, and pint's "12 000 m" is 0 m.
#
# Input: readings as text with a unit, their thousands apart by a space, as SI and many meters write them, or with
# leading zeros, as a counter shows them. Guess: the number, or an error; what ureg.Quantity(text) takes is described
# as a number and a unit.
# Seen: a space between two numbers is a multiplication. In pint "4 831 kWh" is 3324 kWh, "12 345 m" 4140 m, and any
# number with a group of zeros is 0: "12 000 m", "10 000 Wh". No-break and thin spaces do the same, and "20:16" is
# 320. With Python 3.11 leading zeros are split off as a number of their own, so "001785 kWh" is 0 kWh. astropy's
# Quantity("12 345 m") is 12 of the unit "345 m"; it has the value 12 and converts to 4140 m; a group of zeros and a
# third group raise. Issues 1183 and 614 of hgrecco/pint, open since 2020 and earlier, have the leading zeros; for the
# groups none was found.
# Why it matters: it is how readings of displays and meters become quantities. Each result has the right unit and a
# value that may well be: a meter that shows 001785 used nothing. Join the digits first, or give number and unit
# apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pint==0.25.3 astropy==8.0.2 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import sys

import pint
from astropy import __version__ as astropy_version
from astropy import units

print(f"pint {pint.__version__}, astropy {astropy_version}, Python {sys.version.split()[0]}")
registry = pint.UnitRegistry()
ways = {
    "pint": lambda text: registry.Quantity(text).to("m").magnitude,
    "astropy": lambda text: units.Quantity(text).to_value(units.m),
}
wanted = {
    "12345 m": (12345, 12345),
    "12 345 m": (4140, 4140),
    "12\u202f345 m": (4140, 4140),
    "12 000 m": (0, "raises"),
    "12 345 678 m": (12 * 345 * 678, "raises"),
}
if sys.version_info < (3, 12):
    wanted["001785 m"] = 0, 1785
as_found = True
for text, numbers in wanted.items():
    found = []
    for way in ways.values():
        try:
            found.append(float(way(text)))
        except Exception:  # the two packages have no common error
            found.append("raises")
    print(f"{text!r}: {', '.join(f'{name} {number}' for name, number in zip(ways, found, strict=True))}")
    as_found &= tuple(found) == numbers
energy = registry.Quantity("4 831 kWh"), registry.Quantity("20:16")
part = units.Quantity("12 345 m")
print(f"pint: '4 831 kWh' is {energy[0]}, '20:16' is {energy[1]}; astropy: '12 345 m' has the value {part.value}")
as_found &= str(energy[0]) == "3324 kilowatt_hour" and energy[1].magnitude == 320 and part.value == 12
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
