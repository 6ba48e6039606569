"""Measures our connector and the peer, airbyte-source-stripe, side by side on the same server.

Usage: PEER_VENV/bin/python benches/peer.py [--streams a,b] [--ours-records N] [--peer-records N]
                                            [--runs N]

Prints a table in Markdown: records a second, CPU seconds and peak memory of both, medians of the
runs. Start-up is measured by reads without a record, and taken off before records a second are
reckoned. The peer gets fewer records, since it needs seconds for what takes us milliseconds; its
rate does not depend on their number. Charges come from the server of the benchmarks, all else from
the mock Stripe. Needs `cargo build --release --bin source-http --example mock_stripe --example
bench_server` before, the packages of `.ci/peer/requirements.txt`, and GNU time.
"""

import argparse
import sys
import tempfile

from measure import (
    MOCK,
    OURS,
    PEER_SERVER,
    STRIPE,
    BenchServer,
    Mock,
    measured,
    median,
    read_of,
    records_of,
    table,
)

# Line items of an invoice; all stand inside it. Other parents have as many children.
LINES = 3


def measure(connector, stream, records, runs, folder):
    """Figures of one connector, a command, for one stream."""
    reads = []
    counted = 0
    for count in (0, records):
        server, config = serve(stream, count)
        try:
            command = read_of(connector, config, [stream], folder, stream)
            # Also warms up the mock, which keeps rendered pages.
            counted = records_of(command)
            reads.append([measured(command, folder) for _ in range(runs)])
        finally:
            server.stop()
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


def serve(stream, count):
    """A server of this many objects of the stream and none that have nothing to do with it, and a
    config for it."""
    if stream == "charges":
        server = BenchServer()
        return server, server.stripe(f"count={count},pretty")
    if stream == "invoice_line_items":
        stream, count = "invoices", count // LINES
    arguments = [0, "--others", 0, "--children", LINES, "--count", f"{stream}={count}"]
    server = Mock(MOCK, arguments)
    return server, {**STRIPE, **server.config}


def compare(stream, python, ours_records, peer_records, runs):
    """The figures of the peer, run by this Python, and of ours, for one stream."""
    with tempfile.TemporaryDirectory() as folder:
        peer = measure([python, PEER_SERVER], stream, peer_records, runs, folder)
        return {"peer": peer, "ours": measure([OURS], stream, ours_records, runs, folder)}


def show(compared):
    """Prints the figures of streams, by their names."""
    rows = []
    for stream, figures in compared.items():
        for who, row in figures.items():
            cells = [f"{row['records']:,}", f"{row['wall']:.2f}", f"{row['start_up']:.3f}"]
            cells += [f"{row['rate']:,.0f}", f"{row['cpu']:.2f}", f"{row['cpu_each']:.1f}"]
            rows.append([stream, who, *cells, f"{row['memory']:.1f}"])
        ours, peer = figures["ours"], figures["peer"]
        cells = ["", "", f"{peer['start_up'] / ours['start_up']:,.0f}"]
        cells += [f"{ours['rate'] / peer['rate']:,.0f}", ""]
        cells += [f"{peer['cpu_each'] / ours['cpu_each']:,.0f}"]
        rows.append([stream, "ratio", *cells, f"{peer['memory'] / ours['memory']:.0f}"])
    columns = ["stream", "", "records", "wall s", "start-up s", "records/s", "CPU s"]
    table([*columns, "CPU s for 100,000", "peak MB"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--streams", default="charges,customers,invoices,invoice_line_items")
    parser.add_argument("--ours-records", type=int, default=200_000)
    parser.add_argument("--peer-records", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    sizes = options.ours_records, options.peer_records
    streams = options.streams.split(",")
    show({stream: compare(stream, sys.executable, *sizes, options.runs) for stream in streams})


if __name__ == "__main__":
    main()
