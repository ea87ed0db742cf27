"""Reads how many tests passed and failed from the output of `cargo nextest run` or `cargo test`, or which failed at first."""

import re
import sys

kind, path = sys.argv[1:]
with open(path, encoding="utf-8", errors="replace") as file:
    text = re.sub(r"\x1b\[[0-9;]*m", "", file.read())

if kind == "flaky":
    names = re.findall(r"^\s+FLAKY \d+/\d+ \[.*?\]\s+(?:\(.*?\)\s+)?(.+?)\s*$", text, re.MULTILINE)
    print(*dict.fromkeys(names), sep="\n", end="\n" if names else "")
    sys.exit()
passed = failed = 0
if kind == "nextest":
    for ran, good in re.findall(r"Summary \[.*?\]\s+(\d+)(?:/\d+)? tests? run: (\d+) passed", text):
        passed += int(good)
        failed += int(ran) - int(good)
else:
    for good, bad in re.findall(r"test result: \w+\. (\d+) passed; (\d+) failed", text):
        passed += int(good)
        failed += int(bad)
print(passed, failed)
