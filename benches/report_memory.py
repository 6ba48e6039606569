"""Measures the memory of long reports: the result of a job, as a CSV file of rows of 100 bytes.

Usage: python3 benches/report_memory.py [--scale X] [--ours PATH]

Prints a table in Markdown: the time and the peak memory of a read of a file of 30 MB and one of 3 GB, plain and in gzip. The
peaks may differ by 4 MB at most. It needs GNU time, the release binary, and 3 GB of disk for the response. `--scale 0.1` reads
a tenth of the rows.
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
# The limit for the difference between the peaks of a short and a long report, in megabytes.
LIMIT = 4


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--scale", type=float, default=1, help="share of the rows; default: 1")
    parser.add_argument("--ours", type=Path, default=OURS, help="default: the release binary")
    options = parser.parse_args()
    print(f"{machine()}\n")
    server, rows, growing = BenchServer(BENCH_SERVER), [], []
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
                if abs(peaks[1] - peaks[0]) > LIMIT:
                    growing.append(file)
    finally:
        server.stop()
    table(["file", "unpacked", "rows", "wall s", "rows/s", "peak MB"], rows)
    if growing:
        sys.exit(f"memory grows with the report: {', '.join(growing)}")


if __name__ == "__main__":
    main()
