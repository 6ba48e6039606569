"""Hands the states of each connector to the other and looks at what arrives.

Between the first and the second sync objects are made, changed and deleted, each with the event
that Stripe would send. A read that resumes from the other's state must read them all.
"""

from collections import Counter

from changes import ONLY_CREATED
from report import Report

# Query parameters that name types of events.
TYPES = ("type", "types[]")

# Streams of which the peer sends the parent, whole, once it reads events.
PEER_SENDS_PARENTS = {"invoice_line_items", "subscription_items"}

# The last state of a stream that has no incremental mode.
DONE_WITH_US = {"__ab_full_refresh_sync_complete": True}
DONE_WITH_PEER = {"__ab_no_cursor_state_message": True}

RULES = {
    "full refresh": "after a full refresh both only note that it is done, each in its own words",
    "extra member": "our states hold more than the peer's, and it does not mind",
    "parent instead of child": "the peer sends the invoice or subscription in place of its items",
    "event not asked for": "the peer does not ask for the type of event that reports the change",
    "no event": "no event reports the change; we look at the newest part of the list",
}


def shape(value):
    """A value with its scalars replaced by their types, and lists by what kinds they hold."""
    if isinstance(value, dict):
        return {name: shape(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return sorted({repr(shape(part)) for part in value})
    return type(value).__name__


def compare_shapes(rounds, report):
    """Our states beside the peer's: (stream, which sync, our run, the peer's run)."""
    for stream, which, ours, peer in rounds:
        a, b = ours.states.get(stream), peer.states.get(stream)
        if (a, b) == (DONE_WITH_US, DONE_WITH_PEER):
            report.explain("full refresh")
        elif not isinstance(a, dict) or not isinstance(b, dict):
            report.fault(stream, f"state after the {which} sync: {a} with us, {b} with the peer")
        else:
            report.explain("extra member", len(a.keys() - b.keys()))
            for name in b:
                of_ours = shape(a[name]) if name in a else "missing"
                if of_ours != shape(b[name]):
                    text = f"{name} is {of_ours} with us, {b[name]} with the peer"
                    report.fault(stream, f"state after the {which} sync: {text}")


def asked_types(run):
    """The types of events that a run asked for; `*` stands for any ending."""
    return {value for request in run.requests for name, value in request.query if name in TYPES}


def is_asked(kind, asked):
    """Whether events of that type come with those types."""
    return any(kind == one or one.endswith("*") and kind.startswith(one[:-1]) for one in asked)


def compare(rounds, changes, ours_after_peer, peer_after_ours):
    """The report on syncs that resume from the other's state.

    `rounds`: (stream, which sync, our run, the peer's run) of syncs from their own states;
    `changes`: stream -> what happened between the first and the second; `ours_after_peer`: stream
    -> our second sync, from the state of the peer's first; `peer_after_ours`: the peer's second
    sync of all streams, from the states of our first ones.
    """
    report = Report("states handed over", RULES)
    compare_shapes(rounds, report)
    second = {stream: peer for stream, which, _, peer in rounds if which == "second"}
    crossed = "second, from the peer's state,"
    compare_shapes([(s, crossed, run, second[s]) for s, run in ours_after_peer.items()], report)
    if peer_after_ours.trouble():
        report.fault("all", f"from our states, {peer_after_ours.trouble()}")
    rows = []
    for stream, run in ours_after_peer.items():
        if run.trouble():
            report.fault(stream, f"from the peer's state, {run.trouble()}")
        if stream not in changes:
            sent, wanted = (len(r.records.get(stream, [])) for r in (run, second[stream]))
            text = f"from the peer's state, we sent {sent} of {wanted} records"
            report.check(sent == wanted, stream, text)
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
            elif change.event and not is_asked(change.event, asked_types(second[stream])):
                report.explain("event not asked for")
            elif not change.event and stream not in ONLY_CREATED:
                report.explain("no event")
            else:
                report.fault(stream, f"from our state, the peer missed {change}")
        rows.append([stream, len(changes.get(stream, [])), got["ours"], got["peer"]])
    report.table(["stream", "changes", "ours from the peer's", "peer from ours"], rows)
    return report
