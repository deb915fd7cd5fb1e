#!/usr/bin/env bash
# webdataset 1.0.2: the pictures 12.5.png and 12.7.png are one sample with the key 12, whoever wrote the tar file.
#
# Input: four samples with the keys 12.5, 12.7, 13.0 and 13.5, as pictures are named after their readings, each with a
# picture and its text, written by TarWriter and read by WebDataset; and the same with keys of 2024-11-28T12.00 and so
# on. Guess: what was written: four samples with these keys and the fields png and txt, or an error from TarWriter.
# Seen: two samples, with the keys 12 and 13 and the fields "5.png", "5.txt", "7.png" and "7.txt"; decode("l") decodes
# them like any picture. Of four pictures of an hour one sample is left. Only what asks for a field by its name, as
# to_tuple("png", "txt"), raises. Names with a decimal comma are right. In issue 237 of webdataset/webdataset, where a
# name has "2.0" in it, the author says that this is by design: a name ends at its first point. No issue about
# TarWriter, which takes such keys without a word, was found.
# Why it matters: readings and times are what such pictures are named after. The data set has fewer samples than there
# are pictures, and who takes the first field that ends in ".png" trains on half of them. Replace the points in keys.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  webdataset==1.0.2 pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import importlib.metadata
import sys
from pathlib import Path

import numpy as np
import webdataset as wds

READINGS = ["12.5", "12.7", "13.0", "13.5"]
path = str(Path(sys.argv[1], "readings.tar"))


def written(keys):
    """The data set of these keys, each with a picture of its own grey and its reading."""
    with wds.TarWriter(path) as writer:
        for number, (key, reading) in enumerate(zip(keys, READINGS, strict=True)):
            grey = np.full((28, 28, 3), 10 * number, np.uint8)
            writer.write({"__key__": key, "png": grey, "txt": reading})
    return wds.WebDataset(path, shardshuffle=False)


def samples(keys):
    found = [(one["__key__"], sorted(name for name in one if name[0] != "_")) for one in written(keys)]
    print(f"written {keys}\n  read {found}")
    return found


print("webdataset", importlib.metadata.version("webdataset"))
of_readings = samples(READINGS)
of_times = samples([f"2024-11-28T12.{minute}" for minute in ("00", "15", "30", "45")])
of_commas = samples([reading.replace(".", ",") for reading in READINGS])
try:
    list(written(READINGS).to_tuple("png", "txt"))
    by_name = "no error"
except ValueError as error:
    by_name = "ValueError"
print(f"to_tuple: {by_name}")
decoded = next(iter(written(READINGS).decode("l")))
print(f"decoded: {decoded['5.png'].shape} of {decoded['5.txt']}, {decoded['7.png'].shape} of {decoded['7.txt']}")
same = (
    of_readings
    == [("12", ["5.png", "5.txt", "7.png", "7.txt"]), ("13", ["0.png", "0.txt", "5.png", "5.txt"])]
    and [key for key, _ in of_times] == ["2024-11-28T12"]
    and of_commas == [(reading.replace(".", ","), ["png", "txt"]) for reading in READINGS]
    and by_name == "ValueError"
    and decoded["5.png"].shape == decoded["7.png"].shape == (28, 28)
    and (decoded["5.txt"], decoded["7.txt"]) == ("12.5", "12.7")
)
sys.exit(0 if same else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py" "$folder"
