#!/usr/bin/env bash
# exceljs 4.4.0 reads 4831.5 from a cell that shows `4831.5 m`, `kWh` or `m/s` as the 23rd of March 1913.
#
# Input: an .xlsx file with the number 4831.5 in cells whose number formats show a unit behind it, each letter after a
# backslash, as the format's language has it for a literal sign: 0.0\ \m. Guess: the number; openpyxl and calamine
# give it. Only a format that shows a date makes a date of it.
# Seen: a format with one of the letters y, m, d, h, s, b or M outside quotation marks gives a Date, even if a backslash
# or an underscore (a space as wide as the letter) stands before it: \m, \h, \s, \k\W\h, \m\/\s and _m. cell.value is
# 1913-03-23T12:00. \l, \V and the same units in quotation marks, 0.0" m", are numbers. cell.numFmt has lost its
# backslashes: 0.0 m, which is a month. A file that exceljs wrote itself is read so too. No error or warning. Issue 2899
# of exceljs/exceljs, open since March 2025, has a date in place of a number, without a cause.
# Why it matters: a table of meter readings with units becomes dates, and JSON made of it holds texts of dates. Write
# units in quotation marks; when reading, take a Date back by its serial number, (date - Date.UTC(1899, 11, 30)) / 864e5.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund exceljs@4.4.0 > /dev/null
cat > write.py << 'PYTHON'
import json
import pathlib
import sys

import openpyxl
import python_calamine

FORMATS = [
    "0.0", '0.0" m"', '0.0" kWh"', r"0.0\ \l", r"0.0\ \V",
    r"0.0\ \m", r"0.0\ \h", r"0.0\ \s", r"0.0\ \k\W\h", r"0.0\ \m\/\s", r"0.0_m",
]  # fmt: skip
book = openpyxl.Workbook()
for row, shown in enumerate(FORMATS, start=1):
    cell = book.active.cell(row, 1, 4831.5)
    cell.number_format = shown
book.save("readings.xlsx")
as_numbers = [row[0] for row in openpyxl.load_workbook("readings.xlsx").active.values]
as_numbers += [row[0] for row in python_calamine.load_workbook("readings.xlsx").get_sheet_by_index(0).to_python()]
pathlib.Path("formats.json").write_text(json.dumps(FORMATS))
print("openpyxl and calamine read:", set(as_numbers))
sys.exit(0 if set(as_numbers) == {4831.5} else "the behaviour has changed")
PYTHON
venv/bin/python write.py
cat > read.mjs << 'SCRIPT'
import ExcelJS from 'exceljs';
import { readFileSync } from 'node:fs';

let same = true;
async function read(name) {
  const book = new ExcelJS.Workbook();
  await book.xlsx.readFile(name);
  return Array.from({ length: 11 }, (_, row) => book.worksheets[0].getCell(row + 1, 1));
}
const formats = JSON.parse(readFileSync('formats.json'));
const cells = await read('readings.xlsx');
cells.forEach((cell, row) => {
  const date = cell.value instanceof Date;
  console.log(`${formats[row]}, given as ${cell.numFmt}: ${date ? cell.value.toISOString() : cell.value}`);
  same &&= date === (row >= 5) && cell.numFmt === formats[row].replaceAll('\\', '');
  const value = date ? (cell.value - Date.UTC(1899, 11, 30)) / 864e5 : cell.value;
  same &&= value === 4831.5;
});
const own = new ExcelJS.Workbook();
const sheet = own.addWorksheet('readings');
formats.forEach((format, row) => {
  sheet.getCell(row + 1, 1).value = 4831.5;
  sheet.getCell(row + 1, 1).numFmt = format;
});
await own.xlsx.writeFile('own.xlsx');
const dates = (await read('own.xlsx')).filter((cell) => cell.value instanceof Date).length;
console.log(`of 11 numbers that it wrote itself, it reads ${dates} as dates`);
same &&= dates === 6;
console.log('exceljs', JSON.parse(readFileSync('node_modules/exceljs/package.json')).version);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node read.mjs
