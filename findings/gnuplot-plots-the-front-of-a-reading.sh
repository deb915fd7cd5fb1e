#!/usr/bin/env bash
# gnuplot 5.4.4 (Debian 12's) plots 4?31 as 4, 12,5 as 12 and 20:16 as 20, and counts them as valid records.
#
# Input: readings as text, in a column and in a CSV file with quotes: a doubtful digit, a decimal comma, a time and
# thousands with a point, a quote or a blank. As controls 4831, 4831.5, x and NaN.
# Guess: what is no number is a missing record, as the x is, or an invalid one, as NaN is. The help says that text which
# cannot be parsed is in many cases taken for a missing value. In gnuplot's language "4?31" + 0 is an error.
# Seen: each is plotted as the digits in front: 4?31 as 4, -12,5 as -12, 20:16 as 20, 1.785,3 as 1.785 and 1'785 as 1.
# The table of the plot marks the points as in range. stats has them in its mean and its smallest, with "Invalid: 0".
# Only the x and NaN are left out. In a CSV file "12,5" is 12 and 1 785 is 1. Nothing warns. "4?31" + 0 ends with
# "Trailing characters after numeric expression". No issue that mentions it was found.
# Why it matters: digits that could not be read are marked with a question mark, and a German or French list has decimal
# commas. A reading of 4 instead of 4831 rescales the plot, and one of 12 instead of 12,5 is not seen at all. Check the
# text before it is plotted. With set datafile missing "?" too, 4?31 is 4.
#
# Needs gnuplot.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
printf '%s\n' 4831 "4?31" "12,5" "-12,5" "20:16" "1.785,3" "1'785" x 4831.5 > column.txt
printf '%s\n' '"4831"' '"4?31"' '"12,5"' '1 785' '20:16' x '4831.5' > fields.csv
printf '%s\n' 4831 x NaN 4831.5 > right.txt
export LC_ALL=C
points() {  # file, what is done before: the values that are plotted
    gnuplot -e "$2; set table 'points'; plot '$1' using 0:1" 2> warnings
    awk 'NF == 3 && $3 == "i" {printf "%s%s", space, $2; space = " "}' points
    awk 'NF {print " and a warning"; exit}' warnings
}
counts() {  # file, what is done before: records, invalid records and the smallest value
    gnuplot -e "$2; stats '$1' using 1 nooutput; set print '-'; print STATS_records, STATS_invalid, STATS_min" 2>&1
}
changed=0
check() {  # what it is, what it gives, what it should give here
    echo "$1: $2"
    [ "$2" = "$3" ] || changed=1
}
comma="set datafile separator ','"
gnuplot --version
check "right" "$(points right.txt "")" "4831 4831.5"
check "right, stats" "$(counts right.txt "")" "2 1 4831.0"
check "column" "$(points column.txt "")" "4831 4 12 -12 20 1.785 1 4831.5"
check "column, stats" "$(counts column.txt "")" "8 0 -12.0"
check "CSV" "$(points fields.csv "$comma")" "4831 4 12 1 20 4831.5"
check "CSV, stats" "$(counts fields.csv "$comma")" "6 0 1.0"
check "4?31 alone, stats" "$(echo "4?31" > one.txt; counts one.txt "")" "1 0 4.0"
check "column, ? is missing" "$(points column.txt "set datafile missing '?'")" "4831 4 12 -12 20 1.785 1 4831.5"
inner=$(gnuplot -e 'x = "4?31"; print x + 0' 2>&1 || true)
echo "\"4?31\" + 0: ${inner##*: }"
case "$inner" in *"Trailing characters"*) ;; *) changed=1 ;; esac
if [ "$changed" = 1 ]; then echo "the behaviour has changed" >&2; exit 1; fi
