"""The bill of materials names what digitocr needs and the digests of the shipped models."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from digitocr.runtime.models import shipped_checksums

ROOT = Path(__file__).parents[1]


def test_the_bill_of_materials_holds_what_is_needed_and_the_digests_of_the_models():
    done = subprocess.run([sys.executable, ROOT / ".ci" / "sbom"], capture_output=True, check=True)
    bill = json.loads(done.stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed = {re.match(r"[\w-]+", one)[0] for one in project["dependencies"]}
    libraries = [one for one in bill["components"] if one["type"] == "library"]
    assert needed <= {one["name"].lower() for one in libraries}
    assert all(one["purl"] == one["bom-ref"] and one["version"] for one in libraries)
    models = {
        one["name"]: one["hashes"][0]["content"]
        for one in bill["components"]
        if one["type"] == "machine-learning-model"
    }
    assert models == shipped_checksums()
    known = {one["bom-ref"] for one in bill["components"]} | {bill["metadata"]["component"]["bom-ref"]}
    assert {other for one in bill["dependencies"] for other in one["dependsOn"]} <= known


def test_every_pin_has_the_digests_of_its_wheels_and_no_address():
    text = (ROOT / "hashes.txt").read_text("utf-8")
    pinned = [line for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if not line.startswith("#")]
    rows = [row.split() for row in re.sub(r"\\\n", "", text).splitlines() if not row.startswith("#")]
    assert [row[0] for row in rows] == pinned
    for row in rows:
        assert len(row) > 1
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", digest) for digest in row[1:])
        assert row[1:] == sorted(set(row[1:]))
    assert "//" not in text
