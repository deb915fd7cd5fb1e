#!/usr/bin/env bash
# datasets 5.2.0 of Hugging Face turns the texts of an image folder into numbers and times: "0042" is 42.
#
# Input: a folder with pictures of readings and their texts, as the documentation of imagefolder asks for it: a
# metadata.csv with the columns file_name and text, or a metadata.jsonl with the texts in quotes. Guess: texts stay
# texts, at least in JSON, which has types.
# Seen: from metadata.csv the column is int64: "0042" and "0017" are 42 and 17. "12.50" is 12.5. One text that is no
# number, "4?31", makes all of them text, so a further picture changes the type of the others. From metadata.jsonl
# "2024-11-28" is a timestamp, whose text is "2024-11-28 00:00:00", though it stands in quotes; "0042" stays. pandas and
# pyarrow, which read the two files, guess so, by their documentation. No warning; no issue was found.
# Why it matters: zeros in front are part of what is to be read. A network is trained on "42" for a display of 0042, and
# judged wrong where it reads it right. Give features=Features({"image": Image(), "text": Value("string")}).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check datasets==5.2.0 pandas==3.1.1 pyarrow==26.0.1 \
  pillow==13.0.0 numpy==2.4.6
cat > "$folder/show.py" << 'PYTHON'
import json
import sys
from pathlib import Path

import datasets
from PIL import Image

datasets.disable_progress_bars()
here = Path(sys.argv[1])
typed = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})


def read(name: str, kind: str, texts: list[str], features: datasets.Features | None = None) -> tuple[str, list[str]]:
    """Write pictures with their texts and return the type and the texts of what is loaded."""
    folder = here / name
    folder.mkdir()
    names = [f"{place}.png" for place in range(len(texts))]
    for file in names:
        Image.new("L", (28, 28), 255).save(folder / file)
    if kind == "csv":
        lines = ["file_name,text", *(f"{file},{text}" for file, text in zip(names, texts, strict=True))]
    else:
        lines = [json.dumps({"file_name": file, "text": text}) for file, text in zip(names, texts, strict=True)]
    (folder / f"metadata.{kind}").write_text("\n".join(lines) + "\n")
    places = {"data_dir": str(folder), "cache_dir": str(here / f"cache-{name}")}
    loaded = datasets.load_dataset("imagefolder", split="train", features=features, **places)
    return loaded.features["text"].dtype.removeprefix("large_"), [str(text) for text in loaded["text"]]


cases = {
    "zeros-csv": ("csv", ["0042", "0017"], None, ("int64", ["42", "17"])),
    "points-csv": ("csv", ["12.50", "3.00"], None, ("float64", ["12.5", "3.0"])),
    "unread-csv": ("csv", ["0042", "4?31"], None, ("string", ["0042", "4?31"])),
    "zeros-jsonl": ("jsonl", ["0042", "0017"], None, ("string", ["0042", "0017"])),
    "dates-jsonl": ("jsonl", ["2024-11-28"], None, ("timestamp[s]", ["2024-11-28 00:00:00"])),
    "typed-csv": ("csv", ["0042", "0017"], typed, ("string", ["0042", "0017"])),
}
as_found = True
for name, (kind, texts, features, wanted) in cases.items():
    found = read(name, kind, texts, features)
    print(f"metadata.{kind}, {texts}: {found[0]}, {found[1]}")
    as_found &= found == wanted
print("datasets", datasets.__version__)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
mkdir "$folder/data"
HF_HUB_OFFLINE=1 HF_HOME="$folder/home" "$folder/venv/bin/python" "$folder/show.py" "$folder/data"
