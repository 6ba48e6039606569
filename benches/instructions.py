"""Counts the instructions of a record, and compares them with `instructions.tsv`.

Usage: python3 benches/instructions.py [--binary FILE] [--update]

Instructions hardly depend on the machine and its other work, unlike time. The release binary reads
few charges under valgrind, and then many; the difference, without start-up, is divided by the
number of records. It fails if a figure is more than 5 % above that of the file. If it is more than
5 % below, `--update` should write the new one.

The allocator is the C library's, so each library has its own figures.

It needs a release binary, valgrind, and before it `cargo build --example bench_server`.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ENVIRONMENT, OURS, ROOT, SLOW_BENCH_SERVER, BenchServer, read_of

FIGURES = ROOT / "benches/instructions.tsv"
MARGIN = 0.05
FEW, MANY = 100, 2_100
STYLES = ("compact", "pretty")


def instructions_of(command, folder):
    """The instructions of a command, in all its threads."""
    counts = Path(folder) / "callgrind.out"
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}"]
    # Only for writing: `subprocess.DEVNULL` is also readable, which looks like a closed stdout.
    with open(os.devnull, "wb") as nowhere:
        done = subprocess.run(
            [*valgrind, *map(str, command)],
            stdout=nowhere,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT,
        )
    if done.returncode:
        sys.exit(done.stderr.decode(errors="replace")[-2000:])
    return int(re.search(r"^totals: (\d+)", counts.read_text(encoding="utf-8"), re.M)[1])


def libc_of(binary):
    """The C library of a binary."""
    return "glibc" if b"GLIBC_" in binary.read_bytes() else "musl"


def per_record(binary, server, style, folder):
    """The instructions of a record."""
    totals = []
    for count in (FEW, MANY):
        config = server.stripe(f"count={count},{style}")
        read = read_of([binary], config, ["charges"], folder, f"{style}-{count}")
        totals.append(instructions_of([*read, "--workers", "1"], folder))
    return round((totals[1] - totals[0]) / (MANY - FEW))


def expected_figures():
    """The figures of the file, by pages and library."""
    if not FIGURES.exists():
        return {}
    rows = [line.split("\t") for line in FIGURES.read_text(encoding="utf-8").splitlines()[1:]]
    return {(pages, libc): int(count) for pages, libc, count in rows}


def compare(name, count, expected):
    """Prints how a figure differs from the expected one. Returns whether it is within the margin."""
    if expected is None:
        print(f"{name}: {count:,} instructions a record, and no figure in {FIGURES.name}")
        return False
    change = count / expected - 1
    print(f"{name}: {count:,} instructions a record, expected {expected:,} ({change:+.1%})")
    if change > MARGIN:
        print(
            "  Too many. If there is a reason, accept them: python3 benches/instructions.py --update"
        )
    elif change < -MARGIN:
        print("  Fewer. Accept them, to keep the gain: python3 benches/instructions.py --update")
    return change <= MARGIN


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, default=OURS, help="default: the release build")
    parser.add_argument("--update", action="store_true", help="accept the figures of this run")
    options = parser.parse_args()
    server = BenchServer(SLOW_BENCH_SERVER)
    try:
        with tempfile.TemporaryDirectory() as folder:
            libc = libc_of(options.binary)
            counts = {
                (style, libc): per_record(options.binary, server, style, folder) for style in STYLES
            }
    finally:
        server.stop()
    expected = expected_figures()
    within = [
        compare(", ".join(key), count, expected.get(key)) for key, count in counts.items()
    ]
    if options.update:
        rows = [f"{pages}\t{libc}\t{n}\n" for (pages, libc), n in sorted((expected | counts).items())]
        FIGURES.write_text("".join(["pages\tlibc\tinstructions a record\n", *rows]), encoding="utf-8")
        print(f"wrote {FIGURES.relative_to(ROOT)}")
    elif not all(within):
        sys.exit(1)


if __name__ == "__main__":
    main()
