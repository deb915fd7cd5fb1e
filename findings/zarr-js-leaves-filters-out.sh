#!/usr/bin/env bash
# zarr 0.6.3 (npm) reads a picture that was stored with a Delta filter as its differences, and 4831.56 as 6.8e-40.
#
# Input: arrays in zarr format 2, written by zarr 3.1.6 of Python with zlib, and with the filters Delta, as one uses it
# to make grey pictures and rising counters small, and FixedScaleOffset, which stores decimals as whole numbers. Guess:
# the values, as zarr in Python and zarrita 0.7.5 in JavaScript give them; or an error, as the same reader raises for a
# compressor that it does not know.
# Seen: the filters of the metadata are left out. A light page with a dark 1 is nearly black, a counter of 4831 to 4836
# is 4831, 1, 1, and the decimals are tiny numbers, the bits of the whole ones. The array has the filters in its
# metadata: array.meta.filters. Nothing warns. Only where the filter changes the size of a value is there an error. The
# README calls the package an implementation of Zarr and does not name filters. No issue that mentions them was found.
# Why it matters: the shape and the type are right, and a counter of differences is one of plausible numbers. Read with
# zarrita, or refuse an array whose meta.filters is neither null nor empty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check zarr==3.1.6 numcodecs==0.16.6 numpy==2.4.6
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund zarr@0.6.3 zarrita@0.7.5 > /dev/null
cat > write.py << 'PYTHON'
import json
import pathlib
import sys

import numcodecs
import numpy
import zarr

picture = numpy.full((8, 8), 230, dtype="u1")
picture[1:7, 3:5] = 20
counter = numpy.arange(4831, 4837, dtype="<u4")
decimals = numpy.array([4831.56, -0.04, 12.5], dtype="<f4")
arrays = {
    "picture": (picture, []),
    "picture, Delta": (picture, [numcodecs.Delta("|u1")]),
    "counter, Delta": (counter, [numcodecs.Delta("<u4")]),
    "decimals, as int32": (decimals, [numcodecs.FixedScaleOffset(0, 100, "<f4", "<i4")]),
    "decimals, as int16": (decimals[1:], [numcodecs.FixedScaleOffset(0, 100, "<f4", "<i2")]),
    "counter, LZMA": (counter, [], numcodecs.LZMA()),
}
group = zarr.open_group("readings.zarr", mode="w", zarr_format=2)
same = True
for name, (values, filters, *compressor) in arrays.items():
    compressors = compressor[0] if compressor else numcodecs.Zlib()
    array = group.create_array(
        name, shape=values.shape, chunks=values.shape, dtype=values.dtype, filters=filters, compressors=compressors
    )
    array[:] = values
    read = zarr.open_group("readings.zarr", mode="r")[name][:]
    same &= bool(numpy.allclose(read, values, rtol=0, atol=0.005))
wanted = {name: values.astype(float).ravel().tolist() for name, (values, *_) in arrays.items()}
pathlib.Path("wanted.json").write_text(json.dumps(wanted))
print("zarr", zarr.__version__, "of Python reads all as they were:", same)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
venv/bin/python write.py
cat > read.mjs << 'SCRIPT'
import { existsSync, readFileSync } from 'node:fs';
import { KeyError, openArray } from 'zarr';
import * as zarrita from 'zarrita';

const wanted = JSON.parse(readFileSync('wanted.json'));
const path = (key) => `readings.zarr/${key.replace(/^\//, '')}`;
// The store of zarr gives an ArrayBuffer or throws; that of zarrita gives bytes or nothing
const store = {
  containsItem: (key) => existsSync(path(key)),
  getItem(key) {
    if (!existsSync(path(key))) throw new KeyError(key);
    return Uint8Array.from(readFileSync(path(key))).buffer;
  },
  keys: async () => [], setItem() {}, deleteItem() {},
};
const bytes = { get: async (key) => (existsSync(path(key)) ? new Uint8Array(readFileSync(path(key))) : undefined) };

async function byZarr(name) {
  const array = await openArray({ store, path: name, mode: 'r' });
  const { data } = await array.getRaw(null);
  return [Array.from(data), array.meta.filters];
}
async function byZarrita(name) {
  const array = await zarrita.open.v2(zarrita.root(bytes).resolve(name), { kind: 'array' });
  return [Array.from((await zarrita.get(array)).data)];
}
async function attempt(read, name) {
  return read(name).catch((error) => [error.message.slice(0, 75)]);
}
const near = (values, name) => Array.isArray(values)
  && values.every((value, n) => Math.abs(value - wanted[name][n]) < 0.006);
const shown = (values) => (Array.isArray(values)
  ? values.slice(0, 24).map((value) => +value.toPrecision(6)).join(' ') : values);

const found = {};
let same = true;
for (const name of Object.keys(wanted)) {
  const [values, filters] = await attempt(byZarr, name);
  const [right] = await attempt(byZarrita, name);
  found[name] = values;
  console.log(`${name}, filters ${JSON.stringify(filters?.map((filter) => filter.id) ?? null)}`);
  console.log('  zarr:   ', shown(values));
  console.log('  zarrita:', shown(right));
  same &&= name === 'counter, LZMA' || near(right, name);
}
same &&= near(found.picture, 'picture');
// The differences along the 64 pixels, modulo 256, after the first value itself
same &&= found['picture, Delta'].every((value, n) => {
  const flat = wanted.picture;
  return value === (n ? (flat[n] - flat[n - 1] + 256) % 256 : flat[0]);
});
same &&= found['counter, Delta'].join() === '4831,1,1,1,1,1';
same &&= found['decimals, as int32'].every((value) => Number.isNaN(value) || Math.abs(value) < 1e-38);
same &&= typeof found['decimals, as int16'] === 'string' && typeof found['counter, LZMA'] === 'string';
console.log('zarr', JSON.parse(readFileSync('node_modules/zarr/package.json')).version);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node read.mjs
