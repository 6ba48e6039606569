"""Runs the peer, airbyte-source-stripe, and our connector beside each other against the mock.

Usage: PEER_VENV/bin/python .ci/peer/compare.py --ours BINARY --mock BINARY [--streams a,b]
                                                [--keep FOLDER] [--partial]

Prints a report per comparison: discover, records, requests, states. Exit status: 0 when every
difference is one that a rule names, 1 otherwise. Needs no network but loopback.

`--streams` compares some streams alone, `--keep` keeps configs, catalogs, states and output,
`--partial` does not mind streams that we do not have yet.
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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

# Two cores, and the peer keeps one busy.
LANES = 2
# A mock with three objects of each kind, and two children of each kind for each parent.
OBJECTS = ["3", "--others", "3", "--children", "2"]
# Long enough ago for three windows of 365 days.
START_DAYS_AGO = 900


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        folder = Path(options.keep or folder)
        lanes = [start_lane(folder / f"lane{n}", options, running) for n in range(LANES)]
        good = compare(lanes, options)
    sys.exit(0 if good else 1)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ours", required=True, help="our binary")
    parser.add_argument("--mock", required=True, help="the mock's binary")
    parser.add_argument("--streams", help="names, with commas between")
    parser.add_argument("--keep", help="a folder for all that is written and read")
    parser.add_argument("--partial", action="store_true", help="streams may be missing with us")
    return parser.parse_args()


def start_lane(folder, options, running):
    """A lane whose processes end with `running`."""
    folder.mkdir(parents=True, exist_ok=True)
    # The newest objects are some days old, so that no moment of theirs is one of a read.
    now = int(time.time()) - 3 * 86_400
    mock = Mock(options.mock, [*OBJECTS, "--now", now], folder / "requests.log")
    running.callback(mock.stop)
    changes.prepare(mock)
    start = datetime.now(timezone.utc) - timedelta(days=START_DAYS_AGO + 10)
    mock.config["start_date"] = start.strftime("%Y-%m-%dT00:00:00Z")
    peer = Peer(sys.executable, folder)
    running.callback(peer.stop)
    return Lane(folder, mock, Ours(options.ours), peer)


def compare(lanes, options):
    """All comparisons; true if there is no fault."""
    lane = lanes[0]
    began = time.time()
    ours, peer = lane.discover(lane.ours), lane.discover(lane.peer)
    reports = [compare_discover.compare(ours, peer, options.partial)]
    streams = common(ours, peer, options.streams)
    print(f"{len(streams)} streams, {time.time() - began:.0f} s for discover")

    # In full, all together: the records, and what they cost.
    began = time.time()
    full = [lane.read(connector, streams, "full_refresh") for connector in (lane.ours, lane.peer)]
    reports.append(compare_records.compare_full(streams, *full))
    reports.append(compare_requests.compare_totals(*full))
    print(f"{time.time() - began:.0f} s for full refreshes")

    # Incrementally, each by itself: the requests, and the states.
    began = time.time()
    first = each(lanes, streams, lambda lane, stream: sync_both(lane, stream))
    print(f"{time.time() - began:.0f} s for first syncs")
    made = change_all(lanes, streams, full[0].records)
    began = time.time()

    def second_syncs(lane, stream):
        of_ours, of_peer = first[stream["name"]]
        own = sync_both(lane, stream, of_ours.states, of_peer.states)
        return own, lane.read(lane.ours, [stream], "incremental", of_peer.states)

    second = each(lanes, streams, second_syncs)
    states = {}
    for of_ours, _ in first.values():
        states.update(of_ours.states)
    peer_after_ours = lane.read(lane.peer, streams, "incremental", states)
    print(f"{time.time() - began:.0f} s for second syncs")
    began = time.time()

    def third_syncs(lane, stream):
        of_ours, of_peer = second[stream["name"]][0]
        return sync_both(lane, stream, of_ours.states, of_peer.states)

    third = each(lanes, streams, third_syncs)
    print(f"{time.time() - began:.0f} s for third syncs")

    firsts = [(name, "first", *runs) for name, runs in first.items()]
    seconds = [(name, "second", *runs) for name, (runs, _) in second.items()]
    thirds = [(name, "third", *runs) for name, runs in third.items()]
    reports.append(compare_requests.compare_syncs(firsts + seconds + thirds))
    own = {name: runs for name, (runs, _) in second.items()}
    reports.append(compare_records.compare_changed(streams, own))
    ours_after_peer = {name: run for name, (_, run) in second.items()}
    reports.append(
        compare_states.compare(
            firsts + seconds + thirds, made, ours_after_peer, peer_after_ours
        )
    )
    return all([report.print() for report in reports])


def change_all(lanes, streams, records):
    """Makes the same changes at each mock; stream -> changes."""
    # In a second of their own, so that moments of reads and of changes can be told apart.
    time.sleep(1.1)
    made = [changes.make(lane.mock, streams, records) for lane in lanes]
    time.sleep(1.1)
    seen = [{name: list(map(str, of_stream)) for name, of_stream in of_lane.items()} for of_lane in made]
    if any(of_lane != seen[0] for of_lane in seen):
        raise SystemExit("the mocks were changed in different ways; they should be the same")
    return made[0]


def common(ours, peer, wanted):
    """The peer's catalog entries of the streams that both have."""
    names = {stream["name"] for stream in ours}
    if wanted:
        names &= set(wanted.split(","))
    return [stream for stream in peer if stream["name"] in names]


def sync_both(lane, stream, our_states=None, peer_states=None):
    """One incremental sync of one stream by both, each from its own state."""
    # A platform does not hand the state of one full refresh to the next.
    if "incremental" not in stream["supported_sync_modes"]:
        our_states = peer_states = None
    return (
        lane.read(lane.ours, [stream], "incremental", our_states),
        lane.read(lane.peer, [stream], "incremental", peer_states),
    )


def each(lanes, streams, work):
    """`work` for each stream on whichever lane is free: stream -> what it gave."""
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
