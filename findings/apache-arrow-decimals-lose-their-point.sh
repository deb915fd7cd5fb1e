#!/usr/bin/env bash
# apache-arrow 21.2.0 for JavaScript: a decimal of 12.5 is 125, and -0.005 is -5; only valueOf(scale) has the point.
#
# Input: an Arrow file that pyarrow 26.0.1 writes of readings as Python's Decimal, with one and with three places, which
# is how exact readings are stored. Guess: Number(value) and String(value) are 12.5, as pyarrow gives them, and as
# hyparquet 1.33.0 gives them of the same table as Parquet.
# Seen: 125, and 4831500 for 4831.500, by Number, String, in arithmetic, in a template, in JSON and in the text of the
# row. A comparison with 100 is true. The scale stands in the type of the column and is not used; value.valueOf(1) is
# 12.5. Nothing warns. Issue 77 of apache/arrow-js, open since September 2023.
# Why it matters: readings on a page are ten or a thousand times too large, all of a column by the same factor, so that
# its curve looks right. Use value.valueOf(column.type.scale), or write float64 or text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund apache-arrow@21.2.0 hyparquet@1.33.0 > /dev/null
cat > write.py << 'PYTHON'
from decimal import Decimal

import pyarrow
import pyarrow.parquet

readings = [Decimal("12.5"), Decimal("-12.5")]
exact = [Decimal("4831.500"), Decimal("-0.005")]
columns = {
    "reading": pyarrow.array(readings, pyarrow.decimal128(9, 1)),
    "exact": pyarrow.array(exact, pyarrow.decimal128(20, 3)),
}
table = pyarrow.table(columns)
with pyarrow.ipc.new_file("readings.arrow", table.schema) as file:
    file.write_table(table)
pyarrow.parquet.write_table(table, "readings.parquet", compression="none")
print("pyarrow", table["reading"][0], table["exact"][0], table["exact"][1])
PYTHON
cat > show.mjs << 'SCRIPT'
import { readFileSync } from 'node:fs';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';

const table = tableFromIPC(readFileSync('readings.arrow'));
const found = {};
for (const name of ['reading', 'exact']) {
  const column = table.getChild(name);
  for (const value of column) {
    const json = JSON.parse(JSON.stringify(value)).replaceAll('"', '');
    const ways = [Number(value), String(value), value - 0, `${value}`, json];
    const scaled = value.valueOf(column.type.scale);
    console.log(`${name}: ${ways.join(', ')}; valueOf(${column.type.scale}) ${scaled}`);
    found[scaled] = ways.every((way) => Number(way) === Number(value)) && Number(value);
  }
}
console.log(`the first row: ${table.get(0)}; reading > 100: ${table.get(0).reading > 100}`);
const file = readFileSync('readings.parquet');
const rows = await parquetReadObjects({ file: file.buffer.slice(file.byteOffset, file.byteOffset + file.length) });
console.log('hyparquet', JSON.stringify(rows));
const wrong = JSON.stringify(found) === JSON.stringify({ 12.5: 125, '-12.5': -125, 4831.5: 4831500, '-0.005': -5 });
const right = JSON.stringify(rows) === '[{"reading":12.5,"exact":4831.5},{"reading":-12.5,"exact":-0.005}]';
const row = String(table.get(0)) === '{"reading": 125, "exact": 4831500}' && table.get(0).reading > 100;
const same = wrong && right && row;
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
venv/bin/python write.py
node show.mjs
