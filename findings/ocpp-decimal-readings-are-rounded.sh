#!/usr/bin/env bash
# ocpp 2.1.0 sends a meter reading of Decimal("4831.56") as 4831.6, and one of Decimal("0.04") as 0.0.
#
# Input: a MeterValues message of OCPP 2.0.1 and 2.1 with readings as Decimal, the type that keeps the digits of a
# meter, sent with ChargePoint.call to a connection that only keeps the text. Guess: the numbers as they are, since the
# schema of the protocol, which comes with the package, says that the value is a number and does not limit its places;
# or a TypeError, as json.dumps raises.
# Seen: every Decimal is rounded to one place: 0.25 becomes 0.2, 0.35 becomes 0.3 and -0.04 becomes -0.0. The same
# readings as float are sent with all their places. The check against the schema passes. Nothing warns. Only a comment
# of a private class says that one place is kept. In the schemas of the package only the charging profiles of OCPP 1.6
# ask for steps of 0.1. No issue that mentions readings was found.
# Why it matters: a meter in kWh moves in steps of 0.1 kWh, and small currents become 0. Give readings as
# float(reading).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ocpp==2.1.0
cat > "$folder/show.py" << 'PYTHON'
import asyncio
import importlib.metadata
import json
import pathlib
import sys
from decimal import Decimal

import ocpp
import ocpp.v21
import ocpp.v201

READINGS = ["4831.56", "0.04", "-0.04", "0.25", "0.35", "12.5", "4831"]


class Connection:
    """Keeps what is sent, and answers that it was received."""

    def __init__(self):
        self.sent = []
        self.answers = asyncio.Queue()

    async def send(self, text):
        self.sent.append(text)
        await self.answers.put(json.dumps([3, json.loads(text)[1], {}]))

    async def recv(self):
        return await self.answers.get()


async def sent(version, kind):
    """The values of a MeterValues message, as the other side gets them."""
    connection = Connection()
    point = version.ChargePoint("meter", connection)
    listening = asyncio.create_task(point.start())
    values = [{"value": kind(reading)} for reading in READINGS]
    message = version.call.MeterValues(
        evse_id=1, meter_value=[{"timestamp": "2024-03-04T20:16:00Z", "sampled_value": values}]
    )
    await point.call(message)
    listening.cancel()
    (text,) = connection.sent
    return [value["value"] for value in json.loads(text, parse_float=str)[3]["meterValue"][0]["sampledValue"]]


print("ocpp", importlib.metadata.version("ocpp"))
print("given:", *READINGS)
as_found = True
for version in (ocpp.v201, ocpp.v21):
    decimals, floats = (asyncio.run(sent(version, kind)) for kind in (Decimal, float))
    print(f"{version.__name__}, sent from Decimal:", *decimals)
    print(f"{version.__name__}, sent from float:", *floats)
    as_found &= decimals == ["4831.6", "0.0", "-0.0", "0.2", "0.3", "12.5", "4831.0"]
    as_found &= list(map(float, floats)) == list(map(float, READINGS))
schema = pathlib.Path(ocpp.__file__).parent / "v201/schemas/MeterValuesRequest.json"
value = json.loads(schema.read_text(encoding="utf-8-sig"))["definitions"]["SampledValueType"]["properties"]["value"]
print("the schema of a value:", {key: value[key] for key in value if key != "description"})
as_found &= value["type"] == "number" and "multipleOf" not in value
try:
    json.dumps(Decimal("4831.56"))
    as_found = False
except TypeError as error:
    print("json.dumps:", error)
sys.exit(0 if as_found else "the behaviour has changed")
PYTHON
"$folder/venv/bin/python" "$folder/show.py"
