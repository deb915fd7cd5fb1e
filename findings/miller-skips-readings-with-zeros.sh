#!/usr/bin/env bash
# Miller 6.6.0 (Debian 12's) leaves readings with zeros in front out of sums and means: of 0042, 0950 and 150 the sum
# is 150.
#
# Input: CSV files with a column of readings as a meter shows them, with zeros in front, and one of temperatures with a
# plus. As controls the same readings without zeros, and with decimals.
# Guess: they count as numbers, or there is an error, as for a sum in the language of put. The help says that 0123 is a
# string by default, which keeps its zeros in the output.
# Seen: stats1 leaves them out of sum and mean without a word, and counts them: of 0042, 0950 and 150 the sum is 150,
# the mean 150, the smallest 150 and the count 3. Of 0950 and 0999 the sum is 0. filter '$v > 100' leaves 0950 out, as
# texts are compared. sort -nr puts 150 behind 0042. int("0042") is 34, as if it were octal. 0950.5 is a number, so a
# column of both is half summed. +12.5 is left out too (issue 1267 of johnkerl/miller, closed in 2023). With the option
# -O the sum of 0042, 0950 and 150 is 1134: 0042 is octal there, and 0950 is not. In the language of put the sum is
# (error). datamash gives 1142.
# Why it matters: meters show zeros in front, so it is the small readings that are lost, and the mean is a plausible one
# of the others. Take the zeros off first: mlr put '$v = float($v)'.
#
# Needs apt-get with the packages of Debian 12 (nothing is installed), and Python.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download miller=6.6.0-2+b3 datamash=1.7-2 > /dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
cat > show.py << 'PYTHON'
import json
import subprocess
import sys


def run(command, readings):
    """What the command prints of a file with these readings in the column v."""
    text = "\n".join(["v", *readings, ""])
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def miller(readings, *command):
    found = json.loads(run(["root/usr/bin/mlr", "--icsv", "--ojson", *command], readings))
    print(" ".join(readings), "|", *command, "|", found)
    return found


def sums(readings):
    return list(miller(readings, "stats1", "-a", "sum,mean,min,count", "-f", "v")[0].values())


zeros, plain = ["0042", "0950", "150"], ["42", "950", "150"]
print(run(["root/usr/bin/mlr", "--version"], []).strip())
same = sums(plain) == [1142, 1142 / 3, 42, 3] and sums(["042.0", "0950.0", "150.0"]) == [1142, 1142 / 3, 42, 3]
same &= sums(zeros) == [150, 150, 150, 3]
same &= sums(["0950", "0999"])[0] == 0
same &= sums(["0950.5", "0042", "150"])[0] == 1100.5
same &= sums(["+12.5", "-12.5"])[0] == -12.5
same &= miller(zeros, "-O", "stats1", "-a", "sum", "-f", "v") == [{"v_sum": 34 + 950 + 150}]
same &= miller(zeros, "filter", "$v > 100") == [{"v": 150}]
same &= miller(zeros, "sort", "-nr", "v")[-1] == {"v": 150}
same &= miller(["0042"], "put", "$v = int($v)") == [{"v": 34}]
same &= miller(zeros, "put", "$v = float($v)", "then", "stats1", "-a", "sum", "-f", "v") == [{"v_sum": 1142}]
inner = run(["root/usr/bin/mlr", "--icsv", "--ojson", "put", "-q", "@s += $v; end {emit @s}"], zeros)
other = run(["root/usr/bin/datamash", "--header-in", "sum", "1"], zeros).strip()
print("sum in the language of put:", " ".join(inner.split()), "datamash:", other)
sys.exit(0 if same and "(error)" in inner and other == "1142" else "the behaviour has changed")
PYTHON
python3 show.py
