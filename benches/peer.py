"""Compares our connector with the peer, airbyte-source-stripe, on the same server.

Usage: PEER_VENV/bin/python benches/peer.py [--streams a,b] [--ours-records N] [--peer-records N]
                                            [--runs N]

Prints a table in Markdown: records a second, CPU seconds and peak memory of both, medians of the
runs. Start-up, the time of a read without records, is subtracted for records a second. The peer
reads fewer records, because it is slow; its rate does not depend on their number. Charges come from
the server of the benchmarks, other streams from the mock Stripe. It needs GNU time, the packages of
`.ci/peer/requirements.txt`, and before it `cargo build --release --bin source-http --example
mock_stripe --example bench_server`.
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

# Line items of an invoice, all of them inside it. Other parents have as many children.
LINES = 3


def measure(connector, stream, records, runs, folder):
    """The figures of one connector, a command, for one stream."""
    reads = []
    counted = 0
    for count in (0, records):
        server, config = serve(stream, count)
        try:
            command = read_of(connector, config, [stream], folder, stream)
            # This read also warms up the mock, which caches rendered pages.
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
    """Starts a server with this many objects of the stream, and no others. Returns it with a config."""
    if stream == "charges":
        server = BenchServer()
        return server, server.stripe(f"count={count},pretty")
    if stream == "invoice_line_items":
        stream, count = "invoices", count // LINES
    arguments = [0, "--others", 0, "--children", LINES, "--count", f"{stream}={count}"]
    server = Mock(MOCK, arguments)
    return server, {**STRIPE, **server.config}


def compare(stream, python, ours_records, peer_records, runs):
    """The figures of the peer, which this Python runs, and of ours, for one stream."""
    with tempfile.TemporaryDirectory() as folder:
        peer = measure([python, PEER_SERVER], stream, peer_records, runs, folder)
        return {"peer": peer, "ours": measure([OURS], stream, ours_records, runs, folder)}


def show(compared):
    """Prints the figures of each stream."""
    rows = []
    for stream, figures in compared.items():
        for side, row in figures.items():
            cells = [f"{row['records']:,}", f"{row['wall']:.2f}", f"{row['start_up']:.3f}"]
            cells += [f"{row['rate']:,.0f}", f"{row['cpu']:.2f}", f"{row['cpu_each']:.1f}"]
            rows.append([stream, side, *cells, f"{row['memory']:.1f}"])
        ours, peer = figures["ours"], figures["peer"]
        cells = ["", "", f"{peer['start_up'] / ours['start_up']:,.0f}"]
        cells += [f"{ours['rate'] / peer['rate']:,.0f}", ""]
        cells += [f"{peer['cpu_each'] / ours['cpu_each']:,.0f}"]
        rows.append([stream, "ratio", *cells, f"{peer['memory'] / ours['memory']:.0f}"])
    columns = ["stream", "", "records", "wall s", "start-up s", "records/s", "CPU s"]
    table([*columns, "CPU s for 100,000", "peak MB"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    streams = "charges,customers,invoices,invoice_line_items"
    parser.add_argument("--streams", default=streams, help=f"names; default: {streams}")
    parser.add_argument("--ours-records", type=int, default=200_000, help="records of ours; default: 200000")
    parser.add_argument("--peer-records", type=int, default=2_000, help="records of the peer; default: 2000")
    parser.add_argument("--runs", type=int, default=3, help="number of runs; default: 3")
    options = parser.parse_args()
    sizes = options.ours_records, options.peer_records
    streams = options.streams.split(",")
    show({stream: compare(stream, sys.executable, *sizes, options.runs) for stream in streams})


if __name__ == "__main__":
    main()
