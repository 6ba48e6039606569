"""Hands the states of each connector to the other and looks at what arrives.

Between the first and the second sync objects are made, changed and deleted, each with the event
that Stripe would send. Whoever goes on from the other's state must read them all.
"""

from collections import Counter

from changes import ONLY_CREATED
from report import Report

# Query parameters that name types of events.
TYPES = ("type", "types[]")

# Streams of which the peer sends the parent, whole, once it reads events.
PEER_SENDS_PARENTS = {"invoice_line_items", "subscription_items"}

RULES = {
    "extra member": "our states hold more than the peer's, which carries them along unread",
    "parent instead of child": "the peer sends the invoice or subscription in place of its items",
    "event not asked for": "the peer does not ask for the type of event that tells of the change",
    "no event": "no event tells of the change; we read the newest part of the list, the peer does not",
}


def extra_members(ours, peer):
    """Our state's top-level members that the peer's lacks; None if the rest is not of its shape."""
    if not isinstance(ours, dict) or not isinstance(peer, dict) or peer.keys() - ours.keys():
        return None
    if any(shape(ours[name]) != shape(peer[name]) for name in peer):
        return None
    return sorted(ours.keys() - peer.keys())


def shape(value):
    """A value with its scalars replaced by their types."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return sorted({repr(shape(part)) for part in value})
    return type(value).__name__


def compare_shapes(rounds, report):
    """Our states beside the peer's: (stream, which sync, our run, the peer's run)."""
    for stream, which, ours, peer in rounds:
        a, b = ours.states.get(stream), peer.states.get(stream)
        extra = extra_members(a, b)
        if extra is None:
            report.fault(stream, f"state after the {which} sync: {a} with us, {b} with the peer")
        else:
            report.explain("extra member", len(extra))


def asked_types(run):
    """The types of events that a run asked for; `*` stands for any ending."""
    return {value for request in run.requests for name, value in request.query if name in TYPES}


def is_asked(kind, asked):
    """Whether events of that type come with those types."""
    return any(kind == one or one.endswith("*") and kind.startswith(one[:-1]) for one in asked)


def compare(rounds, changes, ours_after_peer, peer_after_ours):
    """The report on syncs that go on from the other's state.

    `rounds`: (stream, which sync, our run, the peer's run) of syncs from their own states;
    `changes`: stream -> what happened between the first and the second; `ours_after_peer`: stream
    -> our second sync, from the state of the peer's first; `peer_after_ours`: the peer's second
    sync of all streams, from the states of our first ones.
    """
    report = Report("states handed over", RULES)
    compare_shapes(rounds, report)
    second = {stream: peer for stream, which, _, peer in rounds if which == "second"}
    crossed = [(s, "second (from the peer's state)", run, second[s]) for s, run in ours_after_peer.items()]
    compare_shapes(crossed, report)
    if peer_after_ours.trouble():
        report.fault("all", f"from our states, {peer_after_ours.trouble()}")
    rows = []
    for stream, run in ours_after_peer.items():
        if run.trouble():
            report.fault(stream, f"from the peer's state, {run.trouble()}")
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
