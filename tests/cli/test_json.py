"""The JSON that commands print obeys docs/reading.schema.json, and the schema describes all of it."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "reading.schema.json").read_text("utf-8"))


def closed(schema):
    """The schema with no properties allowed but those that it describes."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    return {**made, "additionalProperties": False} if "properties" in schema else made


@pytest.fixture(scope="module")
def check():
    """A function that checks lines of JSON, and gives the objects."""
    Draft202012Validator.check_schema(SCHEMA)
    validator = Draft202012Validator(closed(SCHEMA))

    def checked(output):
        rows = [json.loads(line) for line in output.splitlines()]
        for row in rows:
            validator.validate(row)
        return rows

    return checked


def test_predict(digitocr, pages, check):
    done = digitocr("predict", "--jsonl", ROOT / "examples", pages / "a.png", pages / "c.png", pages / "broken.png")
    assert done.returncode == 4
    rows = check(done.stdout)
    assert {bool(row["error"]) for row in rows} == {True, False}
    assert {bool(row["text"]) for row in rows} == {True, False}


@pytest.mark.parametrize("options", [(), ("--all-frames",)])
def test_webcam(digitocr, clip, check, options):
    done = digitocr("webcam", "--source", clip, "--view", "none", "--jsonl", *options)
    assert done.returncode == 0, done.stderr
    assert any(row["text"] for row in check(done.stdout))


def test_what_the_schema_refuses(check):
    validator = Draft202012Validator(SCHEMA)
    assert not validator.is_valid({})
    (example,) = check(example_of_the_page())
    for key in SCHEMA["required"]:
        assert not validator.is_valid({name: value for name, value in example.items() if name != key})
    assert not validator.is_valid({**example, "confidence": 1.5})
    assert not validator.is_valid({**example, "text": "4-7"})


def test_the_page_names_every_property():
    page = (ROOT / "docs" / "json.md").read_text("utf-8")
    for name in (
        *SCHEMA["properties"],
        *SCHEMA["$defs"]["number"]["properties"],
        *SCHEMA["$defs"]["digit"]["properties"],
        *SCHEMA["properties"]["ms"]["properties"],
    ):
        assert f"`{name}`" in page, name


def example_of_the_page():
    page = (ROOT / "docs" / "json.md").read_text("utf-8")
    return json.dumps(json.loads(page.split("```json\n")[1].split("```")[0]))
