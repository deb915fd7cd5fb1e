"""Whether the content of a JSON file has the form that it must have, checked once, where the file is read.

    fits(content, {"kind": {"classifier", "detector"}, "epochs": int, "losses": [NUMBER]})

A schema has the form of the content: a type, or a tuple of types; a set of allowed texts; a list of one schema, that of
each item; or a dict of the keys that must be there, in which `...: schema` is that of all other keys' values.
"""

from typing import Any

NUMBER = (int, float)  # JSON has whole numbers as int


def fits(content: Any, schema: Any) -> bool:
    """Whether JSON content has the form of a schema. It may hold more."""
    if isinstance(schema, set):
        return isinstance(content, str) and content in schema
    if isinstance(schema, list):
        return isinstance(content, list) and all(fits(item, schema[0]) for item in content)
    if isinstance(schema, dict):
        if not isinstance(content, dict) or not all(key in content for key in schema if key is not ...):
            return False
        known = ((key, schema.get(key, schema.get(..., object))) for key in content)
        return all(fits(content[key], expected) for key, expected in known)
    if isinstance(content, bool) and schema is not object:
        return schema is bool  # which Python counts as int
    return isinstance(content, schema)
