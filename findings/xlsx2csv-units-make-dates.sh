#!/usr/bin/env bash
# xlsx2csv 0.8.6 writes a part of a date instead of a reading whose format shows a unit: 4831.5 kWh is 0.0" kw12".
#
# Input: a workbook of openpyxl with readings as numbers, whose formats show their unit behind them in quotes, as
# 0.0" kWh" does in a spreadsheet. As controls formats without a letter of hsmdy, and -4831.5.
# Guess: 4831.5 in a CSV file, with or without its unit, as for 0.0" °C" and 0.0" V", and as python-calamine and
# openpyxl read it. A format of a date is recognized outside of quotes.
# Seen: 4831.5 is 0.0" kw12" with kWh, 0.0" 03" with m, 0.00" 03³" with m³ and 0.0" s" with s: the reading is gone, as
# the format is filled with the hour or the month of a date in 1913. A reading below 1 is a time of day: 0.25 m³ is
# 06:00 and 0.04 kWh is 00:57. Those below zero are right: -4831.5. There is no error. In the code a number is a date if
# one of the letters hsmdy is in its format and it has no minus. Pull request 186 of dilshod/xlsx2csv, about quotes in
# dates, is open since 2019. exceljs does alike in JavaScript.
# Why it matters: a table of meter readings is where formats with units are used. The consumption of a quarter of a
# cubic metre becomes six o'clock, and the next program reads 06:00 as 6 or as a time. Give the option
# --ignore-formats date time, or read the workbook with python-calamine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  xlsx2csv==0.8.6 openpyxl==3.1.5 python-calamine==0.9.1
cat > "$folder/show.py" << 'PYTHON'
import csv
import io
import sys
from importlib.metadata import version

import openpyxl
from python_calamine import CalamineWorkbook
from xlsx2csv import Xlsx2csv

wanted = [
    (4831.5, '0.0" V"', "4831.50000"), (4831.5, '0.0" °C"', "4831.500000"), (4831.5, "0.0", "4831.5"),
    (-4831.5, '0.0" kWh"', "-4831.5000000"),
    (4831.5, '0.0" kWh"', '0.0" kw12"'), (4831.5, '0.0" m"', '0.0" 03"'), (4831.5, '#,##0.00" m³"', '#,##0.00" 03³"'),
    (4831.5, '0.0" s"', '0.0" s"'), (0.25, '0.00" m³"', "06:00"), (0.04, '0.00" kWh"', "00:57"),
]
name = sys.argv[1] + "/readings.xlsx"
book = openpyxl.Workbook()
for row, (reading, unit, _) in enumerate(wanted, 1):
    book.active.cell(row, 1, reading).number_format = unit
book.save(name)


def rows(**options):
    text = io.StringIO()
    Xlsx2csv(name, outputencoding="utf-8", **options).convert(text)
    return [row[0] for row in csv.reader(io.StringIO(text.getvalue()))]


read, ignored = rows(), rows(ignore_formats=["date", "time"])
others = CalamineWorkbook.from_path(name).get_sheet_by_index(0).to_python()
same = True
for (reading, unit, text), found, without, other in zip(wanted, read, ignored, others, strict=True):
    print(f"{reading} of format {unit}: {found!r}, {without!r} if dates are ignored; calamine gives {other[0]}")
    same &= found == text and float(without) == other[0] == reading
print("xlsx2csv", version("xlsx2csv"))
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
