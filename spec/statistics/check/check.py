#!/usr/bin/env python3
"""
Recomputes Assay's numbers of the STAR trial from its raw file, and compares.

check.py < numbers.json             numbers of packages/core, as its test writes them
check.py --url URL --token-file F   results that a running Assay gives of its demo

Prints JSON {name: {assay, python, relative_difference}}. Exits with 1, and says on standard error
which numbers differ, when one is further than 1e-9 apart or known to one side only.
"""
import argparse
import json
import math
import os
import pathlib
import sys

# Matrices this small gain nothing by threads, which only get in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import api
import engine
from star import CSV, Trial

TOLERANCE = 1e-9
# Where the number is 0, this far apart is the same.
TOLERANCE_OF_ZERO = 1e-12


def flatten(tree, path=""):
    """Leaves of a tree of dictionaries, lists and arrays under the paths that lead to them."""
    if isinstance(tree, dict):
        items = tree.items()
    elif hasattr(tree, "__len__") and not isinstance(tree, str):
        items = enumerate(tree)
    else:
        return {path: tree}
    leaves = {}
    for name, branch in items:
        leaves.update(flatten(branch, f"{path}.{name}" if path else str(name)))
    return leaves


def relative_difference(ours, theirs):
    """0 for equal numbers, 1 for what cannot be compared."""
    if ours is None or theirs is None:
        return 0.0 if ours is theirs else 1.0
    a, b = float(ours), float(theirs)
    if a == b:
        return 0.0
    if not (math.isfinite(a) and math.isfinite(b)):
        return 1.0
    if a == 0 or b == 0:
        return abs(a - b) * TOLERANCE / TOLERANCE_OF_ZERO
    return abs(a - b) / abs(b)


def in_json(value):
    """JSON has no infinity, so it goes as text."""
    return value if value is None or math.isfinite(value) else str(float(value))


def compare(assay, python):
    report = {}
    for name in sorted({*assay, *python}):
        is_known = name in assay and name in python
        ours, theirs = assay.get(name), python.get(name)
        report[name] = {
            "assay": ours,
            "python": in_json(theirs),
            "relative_difference": relative_difference(ours, theirs) if is_known else None,
        }
    return report


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--csv", default=CSV, help="the raw file (default: the project's copy)")
    parser.add_argument("--url", help="of a running Assay that has its demo")
    parser.add_argument("--token-file", type=pathlib.Path, help="with a viewer's token")
    options = parser.parse_args()
    if (options.url is None) != (options.token_file is None):
        parser.error("--url and --token-file go together")
    trial = Trial(options.csv)
    if options.url is None:
        given = json.load(sys.stdin)
        assay, python = given["numbers"], engine.numbers(trial, given["settings"])
    else:
        assay, python = api.numbers(trial, options.url, options.token_file.read_text().strip())
    report = compare(flatten(assay), flatten(python))
    json.dump(report, sys.stdout, indent=1, default=float)
    print()
    differing = {
        name: entry
        for name, entry in report.items()
        if entry["relative_difference"] is None or not entry["relative_difference"] < TOLERANCE
    }
    for name, entry in differing.items():
        print(f"{name}: {json.dumps(entry)}", file=sys.stderr)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
