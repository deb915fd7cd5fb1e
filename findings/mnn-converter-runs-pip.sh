#!/usr/bin/env bash
# MNN 3.6.1: each start of its converter `mnnconvert` runs `pip install -U aliyun-log-python-sdk`, with whatever pip is found.
#
# Input: `mnnconvert` without a job, in a virtual environment that is not activated. Guess: a converter of model files prints
# its usage and changes nothing.
# Seen: it runs `pip install -U aliyun-log-python-sdk`, a client of a log service in the cloud, with the first pip on PATH.
# Where the virtual environment is called by its path, that is the system's: ten packages went in there, protobuf below 6
# among them, another was replaced, and the next start ran pip again, since the environment itself still lacked the client.
# Where the client is present, MNN/tools/utils/log.py (read, not run) asks a server for credentials and sends the machine's
# id, the arguments and the files' sizes. There is no switch, and neither documents nor issues that mention it were found.
# Here a stand-in for pip notes its arguments; nothing is installed and nothing is sent.
# Why it matters: a conversion in a build changes the interpreter that builds everything else, and needs or uses the
# network. From Python, `import _tools; _tools.mnnconvert([...])` converts without it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check MNN==3.6.1 numpy==2.4.6
mkdir "$folder/path"
printf '#!/bin/sh\necho "$@" >> "%s/called"\n' "$folder" > "$folder/path/pip"
chmod +x "$folder/path/pip"
touch "$folder/called"
PATH="$folder/path:$PATH" "$folder/venv/bin/python" -c 'import _tools' > /dev/null
[ ! -s "$folder/called" ] || { echo "the converter itself runs pip: the behaviour has changed"; exit 1; }
PATH="$folder/path:$PATH" "$folder/venv/bin/mnnconvert" --version > /dev/null 2>&1 || true
echo "pip was called with: $(cat "$folder/called")"
grep -q '^install -U aliyun-log-python-sdk' "$folder/called" || { echo "the behaviour has changed"; exit 1; }
