#!/usr/bin/env bash
# mawk 1.3.4-20200120 (the awk of Debian 12) prints each counter above 2147483647 with %d as 2147483647.
#
# Input: counters of 2147483646, 3000000000 and 900100189810 in a text file; printed, added up, subtracted and counted.
# As a control gawk with the same programs.
# Guess: 3000000000 and 900100189810, as awk calculates in doubles, which hold whole numbers up to 2 to the power of 53.
# gawk prints them so.
# Seen: printf "%d" gives 2147483647 for both, so two counters are the same. print gives 3e+09 and 9.001e+11, six digits
# as of a decimal, and a sum is 1.80535e+12. The manual says that print writes exact integers with "%d". An index of an
# array is 9.001e+11 too, so 900100189810 and 900100189811 are one entry. There is no warning. $1 itself is text and
# stays. The value inside is right: printf "%.0f" gives 900100189810, and the difference of the last two is 1. gawk
# writes all of them in full.
# Why it matters: scripts that are written with gawk run with mawk on a fresh Debian, where it is /usr/bin/awk. Counters
# of pulses, watt-seconds or bytes are above 2 to the power of 31. Use printf "%.0f" for values that are calculated.
#
# Needs apt-get with the packages of Debian 12 (nothing is installed).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download mawk=1.3.4.20200120-3.1 gawk=1:5.2.1-2 libmpfr6 libsigsegv2 libgmp10 libreadline8 > /dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
printf '2147483646\n3000000000\n900100189810\n900100189811\n' > counters.txt
libraries=$(echo root/usr/lib/*-linux-gnu*)
awk_of() { LD_LIBRARY_PATH=$libraries "root/usr/bin/$1" "$2" counters.txt | tr '\n' ' '; }
changed=0
check() {  # program, what mawk prints, what gawk prints
    mawk=$(awk_of mawk "$1")
    gawk=$(awk_of gawk "$1")
    echo "$1"
    echo "    mawk: $mawk"
    echo "    gawk: $gawk"
    [ "$mawk" = "$2 " ] && [ "$gawk" = "$3 " ] || changed=1
}
all="2147483646 3000000000 900100189810 900100189811"
check '{print $1}' "$all" "$all"
check '{printf "%.0f\n", $1 + 0}' "$all" "$all"
check 'NR > 1 {print $1 - last} {last = $1}' "852516354 8.971e+11 1" "852516354 897100189810 1"
check '{printf "%d\n", $1}' "2147483646 2147483647 2147483647 2147483647" "$all"
check '{print $1 + 0}' "2147483646 3e+09 9.001e+11 9.001e+11" "$all"
check '{sum += $1} END {print sum}' "1.80535e+12" "1805347863267"
check '{seen[$1 + 0] = 1} END {for (counter in seen) count++; print count}' "3" "4"
if [ "$changed" = 1 ]; then echo "the behaviour has changed" >&2; exit 1; fi
