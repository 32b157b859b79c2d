"""Hand many inputs to every target, and say how they ended: `python -m tests.fuzz --count 20000`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz import run
from tests.fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"some of {', '.join(TARGETS)}")
    parser.add_argument("--count", type=int, default=20_000, help="inputs for each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that failed")
    given = parser.parse_args()
    unknown = set(given.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}")
    print("| target | inputs | accepted | refused | failed | CPU s | grew by MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    failed = 0
    for name in given.targets or TARGETS:
        found = run.target(name, given.count, given.seed, given.keep)
        failed += len(found.failed)
        numbers = (found.inputs, found.accepted, found.refused, len(found.failed))
        print(f"| {name} | {' | '.join(f'{n:,}' for n in numbers)} | {found.cpu_seconds:.0f} | {found.grown / 1e6:.0f} |",
              flush=True)  # fmt: skip
        for number, what in found.failed.items():
            print(f"  {name} {number}: {what}", file=sys.stderr, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
