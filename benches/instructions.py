"""Counts the instructions that a record costs, and compares them with `instructions.tsv`.

Usage: python3 benches/instructions.py [--binary FILE] [--update]

Time depends on the machine and on its other work; instructions hardly do. The release binary reads
some charges under valgrind, once few and once many, so that the start of the program does not
count: what is left is divided by the number of records. More than 5 % above the noted figure is a
failure; more than 5 % below it is a reason to note the new one, with `--update`.

The allocator is the C library's, so each library has figures of its own.

Needs a release binary, `cargo build --example bench_server` before, and valgrind.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import ENVIRONMENT, OURS, ROOT, SLOW_BENCH_SERVER, BenchServer, read_of

NOTED = ROOT / "benches/instructions.tsv"
MARGIN = 0.05
FEW, MANY = 100, 2_100
STYLES = ("compact", "pretty")


def instructions_of(command, folder):
    """How many instructions a command takes, in all its threads."""
    counts = Path(folder) / "callgrind.out"
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}"]
    # For writing alone: `subprocess.DEVNULL` is for reading, too, and looks like a closed stdout.
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
    """Which C library a binary is built for."""
    return "glibc" if b"GLIBC_" in binary.read_bytes() else "musl"


def per_record(binary, server, style, folder):
    """Instructions a record."""
    totals = []
    for count in (FEW, MANY):
        config = server.stripe(f"count={count},{style}")
        read = read_of([binary], config, ["charges"], folder, f"{style}-{count}")
        totals.append(instructions_of([*read, "--workers", "1"], folder))
    return round((totals[1] - totals[0]) / (MANY - FEW))


def noted():
    """The figures of the file, by pages and library."""
    if not NOTED.exists():
        return {}
    rows = [line.split("\t") for line in NOTED.read_text(encoding="utf-8").splitlines()[1:]]
    return {(pages, libc): int(count) for pages, libc, count in rows}


def compared(name, count, before):
    """Tells how a figure compares; whether it is well."""
    if before is None:
        print(f"{name}: {count:,} instructions a record, and none are noted")
        return False
    change = count / before - 1
    print(f"{name}: {count:,} instructions a record, noted are {before:,} ({change:+.1%})")
    if change > MARGIN:
        print(
            "  Too many. If they are worth it, note them: python3 benches/instructions.py --update"
        )
    elif change < -MARGIN:
        print("  Note it, so that it is kept: python3 benches/instructions.py --update")
    return change <= MARGIN


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", type=Path, default=OURS, help="default: the release build")
    parser.add_argument("--update", action="store_true", help="note the figures of this run")
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
    before = noted()
    verdicts = [
        compared(", ".join(key), count, before.get(key)) for key, count in counts.items()
    ]
    if options.update:
        rows = [f"{pages}\t{libc}\t{n}\n" for (pages, libc), n in sorted((before | counts).items())]
        NOTED.write_text("".join(["pages\tlibc\tinstructions a record\n", *rows]), encoding="utf-8")
        print(f"noted in {NOTED.relative_to(ROOT)}")
    elif not all(verdicts):
        sys.exit(1)


if __name__ == "__main__":
    main()
