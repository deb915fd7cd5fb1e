#!/usr/bin/env bash
# @dsnp/parquetjs 1.8.8 reads a counter of 3000000000 from an unsigned Parquet column as -1294967296.
#
# Input: counters of unsigned 8, 16, 32 and 64 bits, as energy meters in Wh and pulse counters give them, in Parquet
# files that pyarrow 26.0.1 and DuckDB 2.0.1 wrote with their defaults. Guess: the numbers, as pyarrow, DuckDB and
# hyparquet 1.33.0 read them; the README has UINT_32 and UINT_64 among the types that are supported.
# Seen: the upper half of the numbers of 32 and of 64 bits is negative: 2147483648 is -2147483648, and the greatest ones
# are -1. Those of 8 and 16 bits are right, and so are those below the half. The schema that the reader gives names
# UINT_32. Nothing warns. Pull request 122 of ironSource/parquetjs, from which the package comes, has this; it is open
# since March 2021. Version 1.9.3 of the package comes without its code.
# Why it matters: a counter turns negative in the midst of its life, and a difference over that day is off by 2 ** 32.
# Read with hyparquet, or take value >>> 0 of UINT_32 and BigInt.asUintN(64, value) of UINT_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==26.0.1 duckdb==2.0.1
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund @dsnp/parquetjs@1.8.8 hyparquet@1.33.0 > /dev/null
cat > write.py << 'PYTHON'
import sys

import duckdb
import pyarrow
import pyarrow.parquet

counters = {f"u{bits}": [1, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1] for bits in (8, 16, 32, 64)}
counters["u32"].append(3000000000)
for name in ("u8", "u16", "u64"):
    counters[name].append(12)
readings = pyarrow.table({name: pyarrow.array(values, f"uint{name[1:]}") for name, values in counters.items()})
pyarrow.parquet.write_table(readings, "pyarrow.parquet")
duckdb.sql("COPY (FROM readings) TO 'duckdb.parquet'")
files = ("pyarrow.parquet", "duckdb.parquet")
same = all(pyarrow.parquet.read_table(file).to_pydict() == counters for file in files)
same &= all(duckdb.sql(f"FROM '{file}'").fetchall() == list(zip(*counters.values(), strict=True)) for file in files)
print("pyarrow and DuckDB read the numbers that were written:", same)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
venv/bin/python write.py
cat > read.mjs << 'SCRIPT'
import { readFileSync } from 'node:fs';
import { ParquetReader } from '@dsnp/parquetjs';
import { parquetReadObjects } from 'hyparquet';

let same = true;
for (const name of ['pyarrow.parquet', 'duckdb.parquet']) {
  const reader = await ParquetReader.openFile(name);
  const cursor = reader.getCursor(), rows = [];
  for (let row = await cursor.next(); row; row = await cursor.next()) rows.push(row);
  const right = await parquetReadObjects({ file: Uint8Array.from(readFileSync(name)).buffer });
  for (const column of ['u8', 'u16', 'u32', 'u64']) {
    const values = rows.map((row) => row[column]), wanted = right.map((row) => row[column]);
    const type = reader.schema.fields[column].originalType;
    console.log(`${name}, ${column}, ${type}: parquetjs ${values.join(' ')}, hyparquet ${wanted.join(' ')}`);
    const bits = Number(column.slice(1));
    same &&= type === `UINT_${bits}`;
    same &&= values.every((value, n) => BigInt.asUintN(bits, BigInt(value)) === BigInt(wanted[n]));
    same &&= values.every((value, n) => value < 0 === (bits > 16 && wanted[n] >= 2n ** BigInt(bits - 1)));
  }
  await reader.close();
}
console.log('parquetjs', JSON.parse(readFileSync('node_modules/@dsnp/parquetjs/package.json')).version);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node read.mjs
