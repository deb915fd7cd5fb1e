#!/usr/bin/env bash
# recutils 1.9 (Debian 12's) takes the reading 0100 for 64 where it selects, for 100 where it adds up, and 0089 for 89.
#
# Input: records with readings of four digits, as a meter shows them, without a type, and with the types int and real;
# counters of seven digits. As controls the same readings without zeros in front.
# Guess: one value for a reading in all of recsel. The manual says that a zero in front makes literals and fields of
# type int octal; a field of type real is decimal.
# Seen: recsel -e 'R = 100' finds nothing, and 'R = 64' and 'R < 70' find 0100. 0089 is 89, since it is not octal, so
# 0100 is below 0089. The type real does not help, as 0100 is 64 there too, and 0100.0 is 100. Sum, Avg, Max and the
# order of -S take 0100 for 100. Of 4831562 and 4831564 the sum is 9.66313e+06 and the largest is 4.83156e+06: six
# digits, where the manual names no limit. 12,5 is left out of a sum. There is no error. No issue was found.
# Why it matters: a search for readings above a limit leaves some out, and which ones depends on whether they have a
# digit 8 or 9. The sum beside it is right. Take the zeros off before the records are written, and add up elsewhere.
#
# Needs apt-get with the packages of Debian 12 (nothing is installed), and the library libcurl3-gnutls.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download recutils=1.9-2 librec1=1.9-2 > /dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
libraries=$(echo root/usr/lib/*-linux-gnu*)
recsel() { LD_LIBRARY_PATH=$libraries root/usr/bin/recsel "$@" | tr '\n' ' '; }
records() { printf '%%rec: Meter\n%%type: R %s\n' "$1"; shift; printf '\nR: %s\n' "$@"; }
records line 0042 0089 0100 150 > line.rec
records int 0042 0089 0100 150 > int.rec
records real 0042 0089 0100 150 0100.0 > real.rec
records int 42 89 100 150 > plain.rec
records line 4831562 4831564 > counters.rec
records line 12,5 30 > commas.rec
changed=0
check() {  # what is expected, file, options
    wanted=$1
    file=$2
    shift 2
    found=$(recsel -t Meter "$@" "$file.rec")
    echo "$file, recsel $*: $found"
    [ "$(echo "$found" | xargs)" = "$wanted" ] || changed=1
}
check "100" plain -P R -e 'R = 100'
check "89 100 150" plain -P R -e 'R > 70'
check "42 89 100 150" plain -P R -S R
for file in line int; do
    check "" $file -P R -e 'R = 100'
    check "0100" $file -P R -e 'R = 64'
    check "0042 0100" $file -P R -e 'R < 70'
    check "0089 150" $file -P R -e 'R > 70'
    check "Sum_R: 381 Avg_R: 95.25 Max_R: 150" $file -p 'Sum(R),Avg(R),Max(R)'
done
check "0042 0089 0100 150" int -P R -S R
check "0100.0" real -P R -e 'R = 100'
check "0100" real -P R -e 'R = 64'
check "Sum_R: 9.66313e+06 Max_R: 4.83156e+06" counters -p 'Sum(R),Max(R)'
check "Sum_R: 30" commas -p 'Sum(R)'
if [ "$changed" = 1 ]; then echo "the behaviour has changed" >&2; exit 1; fi
