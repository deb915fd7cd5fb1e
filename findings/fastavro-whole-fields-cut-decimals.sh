#!/usr/bin/env bash
# fastavro 1.13.1: a reading of 12.7 in a field of type int or long is stored as 12, and one of -0.5 as 0.
#
# Input: records with one field "value" of the types int, long, ["null", "long"] and ["null", "float", "long"], and
# readings of 12.7, -0.5, 3000000000 and 900100189810. Guess: an error where a value does not fit the type, as the
# package avro raises it, and fastavro itself for a number in a field of type string.
# Seen: in int and long 12.7 is 12 and -0.5 is 0, without a warning, and int takes 3000000000, though it has 32 bits
# by the specification. ["null", "long"] raises for 12.7. In ["null", "float", "long"], for a display with and without
# decimals, 900100189810 goes into the float and is 900100194304. writer(..., validator=True) raises for the first
# three, and not for the last. avro 1.12.1 raises for the first three too; it stores 900100189810 as it is, and
# changes it if float is the last of the types. No issue was found.
# Why it matters: a schema of the time when the display had no decimals, or of a counter, cuts readings for good, and
# a curve looks only coarse. Use double, and validator=True.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check fastavro==1.13.1 avro==1.12.1
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import io
import json
import sys

import avro.datafile
import avro.errors
import avro.io
import avro.schema
import fastavro


def schema_of(kind):
    return {"type": "record", "name": "Reading", "fields": [{"name": "value", "type": kind}]}


def by_fastavro(kind, value, **options):
    file = io.BytesIO()
    try:
        fastavro.writer(file, fastavro.parse_schema(schema_of(kind)), [{"value": value}], **options)
    except (TypeError, ValueError, fastavro.validation.ValidationError):
        return "error"
    file.seek(0)
    return next(fastavro.reader(file))["value"]


def by_avro(kind, value):
    file = io.BytesIO()
    schema = avro.schema.parse(json.dumps(schema_of(kind)))
    try:
        writer = avro.datafile.DataFileWriter(file, avro.io.DatumWriter(), schema)
        writer.append({"value": value})
        writer.flush()
    except avro.errors.AvroTypeException:
        return "error"
    file.seek(0)
    return next(avro.datafile.DataFileReader(file, avro.io.DatumReader()))["value"]


print("fastavro", importlib.metadata.version("fastavro"), "and avro", importlib.metadata.version("avro"))
as_found = True
for kind, value, *wanted in (
    ("int", 12.7, 12, "error", "error"),
    ("long", 12.7, 12, "error", "error"),
    ("long", -0.5, 0, "error", "error"),
    ("int", 3000000000, 3000000000, "error", "error"),
    ("string", 12.7, "error", "error", "error"),
    (["null", "long"], 12.7, "error", "error", "error"),
    (["null", "float", "long"], 900100189810, 900100194304, 900100194304, 900100189810),
    (["null", "long", "float"], 900100189810, 900100189810, 900100189810, 900100194304),
):
    found = [by_fastavro(kind, value), by_fastavro(kind, value, validator=True), by_avro(kind, value)]
    print(f"{value} as {kind}: {found[0]}, with validator {found[1]}, avro {found[2]}")
    as_found &= found == wanted
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
