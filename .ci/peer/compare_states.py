"""Compares the records of reads that resume from the other connector's states.

Between the first and the second sync objects are created, changed and deleted, each with Stripe's
event. A read that resumes from the other's state must read them all.
"""

from collections import Counter

from changes import ONLY_CREATED
from report import Report

# Query parameters that name types of events.
TYPES = ("type", "types[]")

# Streams for which the peer sends whole parents when it reads events.
PEER_SENDS_PARENTS = {"invoice_line_items", "subscription_items"}

# The last state of a stream without an incremental mode.
DONE_WITH_US = {"__ab_full_refresh_sync_complete": True}
DONE_WITH_PEER = {"__ab_no_cursor_state_message": True}

RULES = {
    "full refresh": "after a full refresh, the state only says so, in other words for each connector",
    "extra member": "our states have members that the peer ignores",
    "parent instead of child": "the peer sends the invoice or subscription instead of its items",
    "event not requested": "the peer does not request the type of event that reports the change",
    "no event": "no event reports the change; we read the newest part of the list",
}


def shape(value):
    """A value with types instead of scalars, and with each kind of item once in a list."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted({repr(shape(part)) for part in value})
    return type(value).__name__


def compare_shapes(rounds, report):
    """Compares the shapes of states: (stream, which sync, our run, the peer's run)."""
    for stream, which, ours, peer in rounds:
        a, b = ours.states.get(stream), peer.states.get(stream)
        if (a, b) == (DONE_WITH_US, DONE_WITH_PEER):
            report.explain("full refresh")
        elif not isinstance(a, dict) or not isinstance(b, dict):
            report.fault(stream, f"state after the {which} sync: {a}, the peer's is {b}")
        else:
            report.explain("extra member", len(a.keys() - b.keys()))
            for name in b:
                of_ours = shape(a[name]) if name in a else "missing"
                if of_ours != shape(b[name]):
                    text = f"{name} is {of_ours}, the peer's is {b[name]}"
                    report.fault(stream, f"state after the {which} sync: {text}")


def requested_types(run):
    """The types of events that a run requested; `*` matches any ending."""
    return {value for request in run.requests for name, value in request.query if name in TYPES}


def is_requested(kind, types):
    """Whether one of these types matches the type of an event."""
    return any(kind == one or one.endswith("*") and kind.startswith(one[:-1]) for one in types)


def compare(rounds, changes, ours_after_peer, peer_after_ours):
    """The report on syncs that resume from the other's state.

    `rounds`: (stream, which sync, our run, the peer's run) of syncs from their own states;
    `changes`: stream -> changes between the first and the second sync; `ours_after_peer`: stream
    -> our second sync, from the state of the peer's first; `peer_after_ours`: the peer's second
    sync of all streams, from the states of our first syncs.
    """
    report = Report("states of the other connector", RULES)
    compare_shapes(rounds, report)
    second = {stream: peer for stream, which, _, peer in rounds if which == "second"}
    crossed = "second, from the peer's state,"
    compare_shapes([(s, crossed, run, second[s]) for s, run in ours_after_peer.items()], report)
    if peer_after_ours.failure():
        report.fault("all", f"from our states, {peer_after_ours.failure()}")
    rows = []
    for stream, run in ours_after_peer.items():
        if run.failure():
            report.fault(stream, f"from the peer's state, {run.failure()}")
        if stream not in changes:
            sent, expected = (len(r.records.get(stream, [])) for r in (run, second[stream]))
            text = f"from the peer's state, we sent {sent} of {expected} records"
            report.check(sent == expected, stream, text)
        got = Counter()
        for change in changes.get(stream, []):
            if change.is_in(run.records.get(stream, [])):
                got["ours"] += 1
            else:
                report.fault(stream, f"from the peer's state, we missed {change}")
            if change.is_in(peer_after_ours.records.get(stream, [])):
                got["peer"] += 1
            elif stream in PEER_SENDS_PARENTS:
                report.explain("parent instead of child")
            elif change.event and not is_requested(change.event, requested_types(second[stream])):
                report.explain("event not requested")
            elif not change.event and stream not in ONLY_CREATED:
                report.explain("no event")
            else:
                report.fault(stream, f"from our state, the peer missed {change}")
        rows.append([stream, len(changes.get(stream, [])), got["ours"], got["peer"]])
    report.table(["stream", "changes", "ours from the peer's", "peer from ours"], rows)
    return report
