"""docs/service.md: its unit, its container and its configurations of Home Assistant do what the page says."""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "service.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.S | re.M)
UNIT, DROP_IN = (block for kind, block in BLOCKS if kind == "ini")
REST, MQTT = (block for kind, block in BLOCKS if kind == "yaml")
(DOCKERFILE,) = (block for kind, block in BLOCKS if kind == "dockerfile")
INSTALLED = "/opt/digitocr/bin/digitocr"
CAMERA = "--source http://camera.local/snap.jpg --fps 0.2 --digits 8"


def command(block):
    """What a unit starts."""
    return re.findall(r"^ExecStart=(.+)$", block, re.M)[-1]


def instruction(start):
    """The words of the instruction of the Dockerfile whose line starts so."""
    return json.loads(re.search(rf"^{start} (\[.*\])$", DOCKERFILE, re.M)[1])


def here(words, source):
    """The command of a service, with this Python, and with a film of three digits in place of its camera."""
    assert words.count(CAMERA) == 1
    python = f"{shlex.quote(sys.executable)} -m digitocr.cli.main"
    return words.replace(INSTALLED, python).replace(CAMERA, f"--source {shlex.quote(str(source))} --digits 3")


def rendered(template, value):
    """What Home Assistant makes of an answer: it removes spaces around the result."""
    jinja2 = pytest.importorskip("jinja2")
    return jinja2.Environment().from_string(template).render(value_json=value).strip()


def test_systemd_accepts_the_units(needs, tmp_path):
    needs("systemd-analyze")
    (tmp_path / "digitocr.service.d").mkdir()
    for block in (UNIT, DROP_IN):
        name, _, content = block.partition("\n")
        program = tmp_path / "digitocr"
        program.touch(0o755)  # it is verified that the program is there
        place = name.removeprefix("# /etc/systemd/system/")
        (tmp_path / place).write_text(content.replace(INSTALLED, str(program)))
        done = subprocess.run(
            ["systemd-analyze", "verify", tmp_path / "digitocr.service"], capture_output=True, text=True
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_a_service_is_asked_by_home_assistant_and_by_docker(clip):
    (sensor,) = pytest.importorskip("yaml").safe_load(REST)["rest"][0]["sensor"]
    words = shlex.join([*instruction("ENTRYPOINT"), *instruction("CMD")])
    words = shlex.split(here(words, clip).replace("0.0.0.0", "127.0.0.1"))
    process = subprocess.Popen([*words, "--port", "0"], stderr=subprocess.PIPE, text=True)
    try:
        while "digitocr: open http" not in (line := process.stderr.readline()):
            assert line
        address = line.split()[-1]
        end = time.monotonic() + 30
        while "the recording has ended" not in (reading := json.load(urlopen(f"{address}reading")))["state"]:
            if reading["number"] is None:
                assert rendered(sensor["availability"], reading) == "False"
            assert time.monotonic() < end
            time.sleep(0.05)
        assert rendered(sensor["availability"], reading) == "True"
        assert rendered(sensor["value_template"], reading) == "407"
        assert {name: reading[name] for name in sensor["json_attributes"]} == {
            "number_at": reading["number_at"],
            "state": "the recording has ended; 1 refused",
            "refused": 1,
        }
        with pytest.raises(HTTPError, match="503"):
            urlopen(f"{address}healthz")
        assert set(re.findall(r"`(\w+)`", PAGE.partition("| key | meaning |")[2].partition("\n\n")[0])) >= set(reading)
    finally:
        process.terminate()
        process.communicate(timeout=20)


@pytest.mark.parametrize(("status", "code"), [("200 OK", 0), ("503 Service Unavailable", 1)])
def test_docker_sees_the_health(status, code):
    program = instruction("  CMD")[2]
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        words = [sys.executable, "-c", program.replace("localhost:8000", f"127.0.0.1:{port}")]
        asking = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1000).startswith(b"GET /healthz ")
            connection.sendall(f"HTTP/1.0 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        assert asking.wait(20) == code


@pytest.fixture
def broker(needs, tmp_path):
    """The port of an MQTT broker, and the process."""
    needs("mosquitto", "mosquitto_pub", "mosquitto_sub")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "broker.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    words = ["mosquitto", "-c", tmp_path / "broker.conf"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            break
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.02)
    yield port
    process.terminate()
    process.wait(20)


def test_home_assistant_gets_the_number_over_mqtt(broker, clip):
    (sensor,) = pytest.importorskip("yaml").safe_load(MQTT)["mqtt"]["sensor"]
    listening = ["mosquitto_sub", "-p", str(broker), "-t", sensor["state_topic"], "-F", "%p"]
    listener = subprocess.Popen(listening, stdout=subprocess.PIPE, text=True)
    try:
        _wait_until_it_listens(broker, sensor["state_topic"], listener)
        words = here(command(DROP_IN), clip).replace("-h broker.local", f"-p {broker}")
        sent = subprocess.run(shlex.split(words), capture_output=True, text=True, timeout=60)
        assert sent.returncode == 0, sent.stderr
        states = [rendered(sensor["value_template"], json.loads(listener.stdout.readline())) for _ in range(2)]
        assert states == ["None", "407"]  # a heartbeat before the first number, and the number
    finally:
        listener.terminate()
        listener.communicate(timeout=20)


def _wait_until_it_listens(port, topic, listener):
    """Sends empty objects until one has arrived, and reads them all."""
    sender = subprocess.Popen(
        ["mosquitto_pub", "-p", str(port), "-t", topic, "-l"], stdin=subprocess.PIPE, text=True, bufsize=1
    )
    with sender:
        os.set_blocking(listener.stdout.fileno(), False)
        end = time.monotonic() + 20
        while not listener.stdout.readline():
            sender.stdin.write("{}\n")
            assert time.monotonic() < end
            time.sleep(0.05)
        os.set_blocking(listener.stdout.fileno(), True)
        sender.stdin.write("the last one\n")
    while listener.stdout.readline() != "the last one\n":
        pass


def test_a_heartbeat_tells_a_subscriber_that_comes_later():
    sensor = pytest.importorskip("yaml").safe_load(MQTT)["mqtt"]["sensor"][0]
    heartbeat = {"schema": "digitocr-heartbeat/1", "number": "0481,3"}
    assert rendered(sensor["value_template"], heartbeat) == "0481.3"
    watchdog, expiry = int(re.search(r"WatchdogSec=(\d+)", UNIT)[1]), sensor["expire_after"]
    for unit in (UNIT, DROP_IN):
        seconds = int(re.search(r"--heartbeat (\d+)", unit)[1])
        assert min(watchdog, expiry) >= 2 * seconds  # one that is late is no alarm
