#!/usr/bin/env bash
# jsfive 0.4.2 reads the white paper of an HDF5 picture as black, and a reading marked -1 for missing as 0.
#
# Input: pictures and readings that h5py 3.16.0 wrote in part: what was not written has the fill value of the data set,
# 255 for white paper or -1 for a missing reading, and takes no room in the file. Guess: the fill value, as HDF5
# documents it, and as h5py and h5wasm 0.10.3 give it; or an error, as the reader raises for filters that it lacks.
# Seen: the value is an array of the right length with holes in place of all that was not written. They become 0 in a
# Uint8Array or an Int32Array, which is black or a reading of nought, and null in JSON; sums and means skip them: that
# of the page is 49.1 instead of 240.3. dataset.fillvalue gives the fill value. Edges of chunks that were written in
# part are right. Nothing warns. The README names data chunking among what is supported, and does not name fill values.
# No issue that mentions them was found.
# Why it matters: a page of ink on white paper is black but for the parts with ink, and a missing reading is a valid
# one. Fill the holes, Array.from(values, (value) => value ?? dataset.fillvalue), or read with h5wasm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check h5py==3.16.0 numpy==2.4.6
cd "$folder"
npm init --yes > /dev/null
npm install --silent --no-audit --no-fund jsfive@0.4.2 h5wasm@0.10.3 > /dev/null
cat > write.py << 'PYTHON'
import h5py

with h5py.File("readings.h5", "w") as file:
    page = file.create_dataset("page", shape=(8, 8), dtype="u1", chunks=(4, 4), fillvalue=255)
    page[:4, :4] = 255
    page[1:3, 1:3] = 20
    file.create_dataset("blank page", shape=(8, 8), dtype="u1", fillvalue=255)
    readings = file.create_dataset("readings", shape=(3,), maxshape=(None,), dtype="i4", chunks=(3,), fillvalue=-1)
    readings[:] = [4831, 4832, 4833]
    readings.resize((7,))
    edge = file.create_dataset("edge of a chunk", shape=(3,), maxshape=(None,), dtype="i4", chunks=(4,), fillvalue=-1)
    edge[:] = [4831, 4832, 4833]
    edge.resize((4,))
with h5py.File("readings.h5") as file:
    print("h5py", h5py.__version__, {name: file[name][:].mean().item() for name in file})
PYTHON
venv/bin/python write.py
cat > read.mjs << 'SCRIPT'
import { readFileSync } from 'node:fs';
import h5wasm from 'h5wasm/node';
import { File } from 'jsfive';

await h5wasm.ready;
const right = new h5wasm.File('readings.h5', 'r');
const file = new File(Uint8Array.from(readFileSync('readings.h5')).buffer, 'readings.h5');
const found = {}, wanted = {};
let same = true;
for (const name of right.keys()) {
  const dataset = file.get(name);
  const kind = name.includes('page') ? Uint8Array : Int32Array;
  const values = dataset.value;
  found[name] = Array.from(kind.from(values));
  wanted[name] = Array.from(right.get(name).value);
  const filled = Array.from(values, (value) => value ?? dataset.fillvalue);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  console.log(`${name}, jsfive, ${kind.name}: ${found[name].join(' ')}; its mean is ${mean.toFixed(1)}`);
  console.log(`${name}, h5wasm: ${wanted[name].join(' ')}`);
  same &&= values.length === wanted[name].length && filled.join() === wanted[name].join();
  if (name === 'page') same &&= Math.abs(mean - 49.06) < 0.01;
}
const written = (place) => place % 8 < 4 && place < 32;
same &&= found.page.every((value, place) => value === (written(place) ? wanted.page[place] : 0));
same &&= wanted.page.every((value, place) => written(place) || value === 255);
same &&= found['blank page'].every((value) => value === 0);
same &&= found.readings.join() === '4831,4832,4833,0,0,0,0' && wanted.readings.slice(3).join() === '-1,-1,-1,-1';
same &&= found['edge of a chunk'].join() === '4831,4832,4833,-1';
console.log('jsfive', JSON.parse(readFileSync('node_modules/jsfive/package.json')).version);
if (!same) console.log('the behaviour has changed');
process.exit(same ? 0 : 1);
SCRIPT
node read.mjs
