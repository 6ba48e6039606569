"""Compares our connector with the peer, airbyte-source-stripe, on the same mock.

Usage: PEER_VENV/bin/python .ci/peer/compare.py --ours BINARY --mock BINARY [--streams a,b]
                                                [--keep FOLDER] [--partial]

Prints a report for each comparison: discover, records, requests, states. Exit status: 0 if a rule
explains every difference, 1 otherwise. It uses only loopback.

`--streams` compares only some streams, `--keep` keeps configs, catalogs, states and output,
`--partial` allows streams that we do not have yet.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from queue import Empty, SimpleQueue

import changes
import compare_discover
import compare_records
import compare_requests
import compare_states
from connectors import Lane, Ours, Peer
from mock import Mock

# Mocks that are read concurrently: there are two cores, and the peer keeps one busy.
LANES = 2
# A mock with three objects of each kind, and two children of each kind for each parent.
OBJECTS = ["3", "--others", "3", "--children", "2"]
# Three windows of 365 days.
START_DAYS_AGO = 900


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        folder = Path(options.keep or folder)
        # The newest objects are some days old, so that their times differ from those of reads. They
        # are the same in each lane: a stream may be read in one lane first, and then in another.
        now = int(time.time()) - 3 * 86_400
        lanes = [start_lane(folder / f"lane{n}", now, options, running) for n in range(LANES)]
        succeeded = compare(lanes, options)
    sys.exit(0 if succeeded else 1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ours", required=True, help="our binary")
    parser.add_argument("--mock", required=True, help="the mock's binary")
    parser.add_argument("--streams", help="names, separated by commas; default: all")
    parser.add_argument("--keep", help="a folder for configs, catalogs, states and output")
    parser.add_argument("--partial", action="store_true", help="allow that we lack streams")
    return parser.parse_args()


def start_lane(folder, now, options, running):
    """Starts a lane. Its processes end with `running`."""
    folder.mkdir(parents=True, exist_ok=True)
    mock = Mock(options.mock, [*OBJECTS, "--now", now], folder / "requests.log")
    running.callback(mock.stop)
    changes.prepare(mock)
    start = datetime.now(timezone.utc) - timedelta(days=START_DAYS_AGO + 10)
    mock.config["start_date"] = start.strftime("%Y-%m-%dT00:00:00Z")
    peer = Peer(sys.executable, folder)
    running.callback(peer.stop)
    return Lane(folder, mock, Ours(options.ours), peer)


def compare(lanes, options):
    """Makes all comparisons; true if there is no fault."""
    lane = lanes[0]
    with timed("discover"):
        ours, peer = lane.discover(lane.ours), lane.discover(lane.peer)
    reports = [compare_discover.compare(ours, peer, options.partial)]
    streams = common(ours, peer, options.streams)

    with timed(f"full refreshes of {len(streams)} streams together"):
        full = [lane.read(each, streams, "full_refresh") for each in (lane.ours, lane.peer)]
    reports.append(compare_records.compare_full(streams, *full))
    reports.append(compare_requests.compare_totals(*full))

    # Each stream by itself, so that each request belongs to a known stream.
    with timed("first syncs of each"):
        first = for_each(lanes, streams, sync_both)
    made = change_all(lanes, streams, full[0].records)
    with timed("second syncs of each"):
        second = for_each(lanes, streams, lambda *at: sync_both(*at, first[at[1]["name"]]))
    with timed("second syncs, from the other's states"):
        ours_after_peer = for_each(lanes, streams, lambda *at: cross(*at, first[at[1]["name"]]))
        states = {name: state for ours, _ in first.values() for name, state in ours.states.items()}
        peer_after_ours = lane.read(lane.peer, streams, "incremental", states)
    with timed("third syncs of each"):
        third = for_each(lanes, streams, lambda *at: sync_both(*at, second[at[1]["name"]]))

    rounds = [
        (name, which, *runs)
        for which, of_streams in (("first", first), ("second", second), ("third", third))
        for name, runs in of_streams.items()
    ]
    reports.append(compare_requests.compare_syncs(rounds))
    reports.append(compare_records.compare_changed(streams, first, second))
    reports.append(compare_states.compare(rounds, made, ours_after_peer, peer_after_ours))
    succeeded = [report.print() for report in reports]
    print(f"\n{succeeded.count(True)} comparisons without faults, {succeeded.count(False)} with faults")
    return all(succeeded)


@contextmanager
def timed(what):
    """Prints how long something took."""
    began = time.time()
    yield
    print(f"{time.time() - began:4.0f} s: {what}", flush=True)


def change_all(lanes, streams, records):
    """Makes the same changes in each mock, and returns them by stream."""
    # The changes get another second than the reads, so that their times differ.
    time.sleep(1.1)
    now = int(time.time())
    made = [changes.make(lane.mock, now, streams, records) for lane in lanes]
    time.sleep(1.1)
    seen = {str({name: list(map(str, of_stream)) for name, of_stream in m.items()}) for m in made}
    if len(seen) > 1:
        raise SystemExit("the mocks were changed in different ways; they should be the same")
    return made[0]


def common(ours, peer, wanted):
    """The peer's catalog entries of the common streams."""
    names = {stream["name"] for stream in ours}
    if wanted:
        names &= set(wanted.split(","))
    return [stream for stream in peer if stream["name"] in names]


def sync_both(lane, stream, before=None):
    """One incremental sync of one stream by both, each from the state of its last run."""
    # A platform does not give the state of one full refresh to the next.
    states = [None, None]
    if before and "incremental" in stream["supported_sync_modes"]:
        states = [run.states for run in before]
    connectors = (lane.ours, lane.peer)
    return tuple(
        lane.read(each, [stream], "incremental", state) for each, state in zip(connectors, states)
    )


def cross(lane, stream, first):
    """Our sync of one stream from the state of the peer's first sync."""
    return lane.read(lane.ours, [stream], "incremental", first[1].states)


def for_each(lanes, streams, work):
    """Does `work` for each stream, on any free lane, and returns the results by stream."""
    queue = SimpleQueue()
    for stream in streams:
        queue.put(stream)
    results = {stream["name"]: None for stream in streams}

    def serve(lane):
        while True:
            try:
                stream = queue.get_nowait()
            except Empty:
                return
            results[stream["name"]] = work(lane, stream)

    with ThreadPoolExecutor(len(lanes)) as pool:
        for done in [pool.submit(serve, lane) for lane in lanes]:
            done.result()
    return results


if __name__ == "__main__":
    main()
