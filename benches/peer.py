"""Measures our connector and the peer, airbyte-source-stripe, side by side on the same mock.

Usage: PEER_VENV/bin/python benches/peer.py [--streams a,b] [--ours-records N] [--peer-records N]
                                            [--runs N]

Prints a table in Markdown: records a second, CPU seconds and peak memory of both, medians of the
runs. Start-up is measured by reads without a record, and taken off before records a second are
reckoned. The peer gets fewer records, since it needs seconds for what takes us milliseconds; its
rate does not depend on their number. Needs `cargo build --release --bin source-http --example
mock_stripe` before, the packages of `.ci/peer/requirements.txt`, and GNU time.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".ci" / "peer"))

from connectors import ENVIRONMENT, PEER_SERVER  # noqa: E402
from mock import Mock  # noqa: E402

TIME = "/usr/bin/time"
OURS = ROOT / "target/release/source-http"
MOCK = ROOT / "target/release/examples/mock_stripe"
WHO = {"ours": [str(OURS)], "peer": [sys.executable, str(PEER_SERVER)]}
# All objects lie in one window, so that requests are the same whatever the day.
SLICE_RANGE = 36_500
# Line items of an invoice; all stand inside it. Other parents have as many children.
LINES = 3


class Cost:
    """What one run took."""

    def __init__(self, wall, text):
        user, system, kilobytes = text.split()
        self.wall = wall
        self.cpu = float(user) + float(system)
        self.megabytes = int(kilobytes) / 1000


def measured(command, folder):
    """The cost of a command whose output goes nowhere.

    The system's own count of peak memory would start with that of this Python process, which is
    larger than our connector; GNU time is small.
    """
    cost = folder / "cost"
    began = time.perf_counter()
    subprocess.run(
        [TIME, "-o", str(cost), "-f", "%U %S %M", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=ENVIRONMENT,
        check=True,
    )
    return Cost(time.perf_counter() - began, cost.read_text())


def records_of(command):
    """How many records a command writes."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT) as process:
        count = sum(b'"type":"RECORD"' in line[:40] for line in process.stdout)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")
    return count


def command_of(who, stream, mock, catalog, folder):
    """The command that reads the whole stream from the mock."""
    paths = []
    selected = [s for s in catalog if s["name"] == stream]
    if not selected:
        sys.exit(f"no stream {stream} with {who}")
    configured = [
        {"stream": s, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
        for s in selected
    ]
    config = {**mock.config, "slice_range": SLICE_RANGE, "start_date": "2010-01-01T00:00:00Z"}
    for name, content in (("config", config), ("catalog", {"streams": configured})):
        path = folder / f"{who}-{stream}-{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        paths += [f"--{name}", str(path)]
    return [*WHO[who], "read", *paths]


def catalog_of(who, mock, folder):
    """The streams that a connector offers."""
    path = folder / "config.json"
    path.write_text(json.dumps(mock.config), encoding="utf-8")
    command = [*WHO[who], "discover", "--config", str(path)]
    found = subprocess.run(command, stdout=subprocess.PIPE, env=ENVIRONMENT, check=True).stdout
    messages = [json.loads(line) for line in found.splitlines()]
    return next(m["catalog"]["streams"] for m in messages if m["type"] == "CATALOG")


def median(costs, name):
    return statistics.median(getattr(cost, name) for cost in costs)


def measure(who, stream, records, options, folder):
    """A row of the table: figures of one connector for one stream."""
    reads = []
    counted = 0
    for count in (0, records):
        mock = Mock(MOCK, arguments_of_mock(stream, count))
        try:
            catalog = catalog_of(who, mock, folder)
            command = command_of(who, stream, mock, catalog, folder)
            # Also warms up the mock, which keeps rendered pages.
            counted = records_of(command)
            reads.append([measured(command, folder) for _ in range(options.runs)])
        finally:
            mock.stop()
    empty, full = reads
    start_up = median(empty, "wall")
    wall = median(full, "wall")
    return {
        "records": counted,
        "wall": wall,
        "start_up": start_up,
        "rate": counted / max(wall - start_up, 0.001),
        "cpu": median(full, "cpu"),
        "cpu_each": (median(full, "cpu") - median(empty, "cpu")) / counted * 100_000,
        "memory": median(full, "megabytes"),
    }


def arguments_of_mock(stream, count):
    """Has the mock make so many objects of the stream, and none that have nothing to do with it."""
    if stream == "invoice_line_items":
        stream, count = "invoices", count // LINES
    return [0, "--others", 0, "--children", LINES, "--count", f"{stream}={count}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--streams", default="customers,invoices,invoice_line_items")
    parser.add_argument("--ours-records", type=int, default=200_000)
    parser.add_argument("--peer-records", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    columns = ["stream", "", "records", "wall s", "start-up s", "records/s", "CPU s"]
    columns += ["CPU s for 100,000", "peak MB"]
    print(f"| {' | '.join(columns)} |")
    print("|" + " --- |" * len(columns))
    for stream in options.streams.split(","):
        with tempfile.TemporaryDirectory() as folder:
            sizes = {"peer": options.peer_records, "ours": options.ours_records}
            rows = {
                who: measure(who, stream, size, options, Path(folder))
                for who, size in sizes.items()
            }
        for who, row in rows.items():
            print(
                f"| {stream} | {who} | {row['records']:,} | {row['wall']:.2f} | "
                f"{row['start_up']:.3f} | {row['rate']:,.0f} | {row['cpu']:.2f} | "
                f"{row['cpu_each']:.1f} | {row['memory']:.1f} |"
            )
        ours, peer = rows["ours"], rows["peer"]
        print(
            f"| {stream} | ratio | | | {peer['start_up'] / ours['start_up']:,.0f} | "
            f"{ours['rate'] / peer['rate']:,.0f} | | {peer['cpu_each'] / ours['cpu_each']:,.0f} | "
            f"{peer['memory'] / ours['memory']:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
