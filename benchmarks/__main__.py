"""Run every benchmark of this folder, each in a process of its own: `python -m benchmarks` (or `make bench`).

Exit code 1 when one of them says that its promise is not kept.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run them in the order of their names."""
    broken = []
    for path in sorted(Path(__file__).parent.glob("[a-z]*.py")):
        print(f"\n== {path.stem}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{path.stem}"], check=False).returncode:
            broken.append(path.stem)
    if broken:
        print(f"\nnot kept: {', '.join(broken)}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
