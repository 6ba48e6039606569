"""Measures the memory of long reports: the result of a job, as a CSV file of rows of 100 bytes.

Usage: python3 benches/report_memory.py [--scale X] [--ours PATH]

Prints a table in Markdown: for a file of 30 MB and one of 3 GB, plain and in gzip, how long the read takes and its peak of
memory, which has to be the same for both within 4 MB. Needs GNU time, the release binary, and 3 GB of disk for the file that the
response is kept in. `--scale 0.1` has a tenth of the rows.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from compare import machine
from low_code import read, report
from measure import BENCH_SERVER, OURS, BenchServer, measured, table

SHORT, LONG = 300_000, 30_000_000
BYTES_OF_A_ROW = 100
# Megabytes between the peaks of a short and of a long report, one of a hundred times as many rows.
WITHIN = 4


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--scale", type=float, default=1, help="share of the rows; default: 1")
    parser.add_argument("--ours", type=Path, default=OURS, help="default: the release binary")
    options = parser.parse_args()
    print(f"{machine()}\n")
    server, rows, uneven = BenchServer(BENCH_SERVER), [], []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for file in ("csv", "csv.gz"):
                peaks = []
                for count in (SHORT, LONG):
                    scaled = round(count * options.scale)
                    command = read([options.ours], report(server, scaled, file), folder, f"{file}-{count}")
                    cost = measured(command, folder)
                    peaks.append(cost.megabytes)
                    size = f"{scaled * BYTES_OF_A_ROW / 1e6:,.0f} MB"
                    rows.append([file, size, f"{scaled:,}", f"{cost.wall:.1f}", f"{scaled / cost.wall:,.0f}", f"{peaks[-1]:.1f}"])
                if abs(peaks[1] - peaks[0]) > WITHIN:
                    uneven.append(file)
    finally:
        server.stop()
    table(["file", "unpacked", "rows", "wall s", "rows/s", "peak MB"], rows)
    if uneven:
        sys.exit(f"memory grows with the report: {', '.join(uneven)}")


if __name__ == "__main__":
    main()
