#!/usr/bin/env bash
# gcc 12.2.0 (Debian 12's, x86-64): of two means that are rounded to float and used as double, -O2 leaves the rounding out.
#
# Input: the sums of the x and the y of three boxes, 76.34668 and 1215.3561; C99 that divides them by 3 in double, converts
# the quotients to float, and writes these to two doubles. Guess: a conversion to float rounds, at every level of
# optimisation, as C99 says (6.3.1.5) and as -std=c99, -O1 and clang do.
# Seen: with -O1 the nearest floats, 25.448892593383789 and 405.11868286132812; with -O2 and -O3 the unrounded quotients,
# 25.448893229166668 and 405.11869303385419. The two divisions become one of vectors of two, from -O2 on since gcc 12, and the
# pair of conversions (double)(float) vanishes. -fno-tree-slp-vectorize keeps it, and so does a volatile float between.
# Why it matters: a reader in C that gives the answers of Python or of another board to the bit moves a line by a third of
# the last place of a float, only on PCs, and only until a line of code beside it changes. Debian 12 has this compiler.
# Write such a value through a volatile float, and compare answers on each compiler.
#
# Needs apt-get with the packages of Debian 12 (nothing is installed), and as and ld.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download cpp-12=12.2.0-14+deb12u1 libisl23=0.25-1.1 libmpc3=1.3.1-1 libmpfr6=4.2.0-1 > /dev/null 2>&1
for package in ./*.deb; do dpkg-deb -x "$package" root; done
cat > means.c << 'SOURCE'
void means(const float *sums, double count, double *made) {
    float x = (float)((double)sums[0] / count), y = (float)((double)sums[1] / count);
    made[0] = (double)x;
    made[1] = (double)y;
}
SOURCE
compile() {
    LD_LIBRARY_PATH=root/usr/lib/x86_64-linux-gnu root/usr/lib/gcc/x86_64-linux-gnu/12/cc1 -quiet -std=c99 -fPIC "$@" \
        means.c -o means.s
    as means.s -o means.o
}
number=0
for options in "-O0" "-O1" "-O2" "-O3" "-O2 -fno-tree-slp-vectorize"; do
    # shellcheck disable=SC2086  # several options
    compile $options
    ld -shared means.o -o "means$number.so"
    echo "$options" > "means$number.txt"
    number=$((number + 1))
done
cat > show.py << 'SCRIPT'
import ctypes
import struct
from pathlib import Path

sums = (ctypes.c_float * 2)(76.34668, 1215.3561)
floats = [struct.unpack("f", struct.pack("f", one / 3))[0] for one in sums]
found = {}
for number in range(5):
    made = (ctypes.c_double * 2)()
    ctypes.CDLL(f"./means{number}.so").means(sums, ctypes.c_double(3), made)
    options = Path(f"means{number}.txt").read_text().strip()
    found[options] = list(made)
    print(f"{options:30} {made[0]:.17g} {made[1]:.17g}")
print(f"{'rounded to float':30} {floats[0]:.17g} {floats[1]:.17g}")
wrong = [options for options, made in found.items() if made != floats]
assert wrong == ["-O2", "-O3"], wrong
assert found["-O2"] == [one / 3 for one in sums]
SCRIPT
python3 show.py
