"""Compares the records of both connectors, read from the same mock: in full, and what has changed.

Records are matched by primary key. What differs must be what a rule says, and nothing else.
"""

import re
from collections import Counter

from report import Report

RULES = {
    "null dropped": "the peer leaves out fields that are null; we send what Stripe sent",
    "to number": "the peer turns integers into floats where its schema says number",
    "to integer": "the peer turns booleans and floats into integers where its schema says integer",
    "to string": "the peer turns values into text where its schema says string",
    "to repr": "the peer writes objects as Python's own text where its schema says string",
    "no created": "an object without a time of creation gets the read's, or its parent's with us",
}

CHANGED_RULES = {
    **RULES,
    "other object": "events bring objects of other kinds, too; the peer sends them as the stream's",
    "more": "see OURS_MORE",
    "expanded": "the peer takes what an event has, without expansions; we ask for the object as lists do",
    "detached": "a payment method of no customer is in no list; we say that it is deleted",
    "given before": "the peer gives again what it gave in the first sync; we remember it for some minutes",
}

# Streams in which the peer sends objects of another kind from events, and the kind that is theirs.
OBJECTS = {
    "accounts": "account",
    "charges": "charge",
    "invoice_line_items": "line_item",
    "subscription_items": "subscription_item",
}

# Streams of which we send more in a second sync.
OURS_MORE = {
    "accounts": "new accounts are listed, as no event reports them",
    "application_fees_refunds": "the fee's event reports a new one; the peer does not read it",
    "checkout_sessions": "new sessions are listed, as no event reports them",
    "invoice_line_items": "all items of a changed invoice are read",
    "subscription_items": "all items of a changed subscription are read",
}

# What lists of a stream expand. An event has the object without it.
EXPANDED = {
    "charges": ("refunds",),
    "invoices": ("discounts", "total_tax_amounts"),
    "plans": ("tiers",),
}

# The cursor of objects without a time of creation: a moment within the read.
CURSOR = "updated"


def coerced(value, schema):
    """What the peer makes of a value at a field of its schema, and the rule by that name.

    A schema of several types, null aside, leaves the value as it is.
    """
    declared = schema.get("type", [])
    declared = [declared] if isinstance(declared, str) else declared
    if value is None and "null" in declared:
        return value, None
    declared = [kind for kind in declared if kind != "null"]
    if len(declared) != 1:
        return value, None
    kind = declared[0]
    try:
        match kind:
            case "string":
                return str(value), "to repr" if isinstance(value, (dict, list)) else "to string"
            case "number":
                return float(value), "to number"
            case "integer":
                return int(value), "to integer"
    except (TypeError, ValueError):
        pass
    return value, None


def same(a, b):
    """Whether two JSON values are the same, with 1, 1.0 and true apart."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def differences(ours, peer, schema, path=""):
    """Pairs of a rule's name, or None, and a text, for each place where the values differ."""
    if same(ours, peer):
        return
    if isinstance(ours, dict) and isinstance(peer, dict):
        for name in sorted(ours.keys() | peer.keys()):
            place = f"{path}.{name}" if path else name
            part = schema.get("properties", {}).get(name, {})
            if name not in ours:
                yield None, f"{place} is {peer[name]!r} with the peer, not there with us"
            elif name not in peer:
                null_at_top = ours[name] is None and not path
                rule = "null dropped" if null_at_top else None
                yield rule, f"{place} is {ours[name]!r} with us, not there with the peer"
            else:
                yield from difference_of_field(ours[name], peer[name], part, place)
    elif isinstance(ours, list) and isinstance(peer, list) and len(ours) == len(peer):
        part = schema.get("items", {})
        part = part if isinstance(part, dict) else {}
        for a, b in zip(ours, peer):
            yield from difference_of_field(a, b, part, f"{path}[]")
    else:
        yield None, f"{path} is {ours!r} with us, {peer!r} with the peer"


def difference_of_field(ours, peer, schema, path):
    """Like `differences`, for a value that the peer may have coerced."""
    if same(ours, peer):
        return
    value, rule = coerced(ours, schema)
    if rule and same(value, peer):
        yield rule, path
    else:
        yield from differences(ours, peer, schema, path)


def key_of(record, stream):
    """The values of the primary key; of a stream that declares none, the id."""
    paths = stream.get("source_defined_primary_key") or [["id"]]
    return tuple(str(record.get(path[0])) for path in paths)


def by_key(records, stream):
    """Records by primary key, and how many were sent more than once."""
    found = {key_of(record, stream): record for record in records}
    return found, len(records) - len(found)


def compare_record(ours, peer, stream, runs, report, counts, rule_of=lambda name, text: None):
    """Counts the differences of two records of one key by rule; one without a rule is a fault."""
    name, key = stream["name"], "/".join(key_of(ours, stream))
    for rule, text in differences(ours, peer, stream["json_schema"]):
        if rule is None and text.startswith(f"{CURSOR} is"):
            rule = rule_of_cursor(ours, peer, *runs)
        rule = rule or rule_of(name, text)
        if rule is None:
            report.fault(name, f"{key}: {text}")
        else:
            counts[rule] += 1


def compare_full(streams, ours, peer):
    """The report on two full refreshes of the peer's streams (catalog entries)."""
    report = Report("records, full refresh", RULES)
    for run in (ours, peer):
        if run.trouble():
            report.fault("all", run.trouble())
    rows = []
    for stream in streams:
        name = stream["name"]
        counts = Counter()
        of_ours, our_repeats = by_key(ours.records.get(name, []), stream)
        of_peer, peer_repeats = by_key(peer.records.get(name, []), stream)
        for who, repeats in (("us", our_repeats), ("the peer", peer_repeats)):
            report.check(not repeats, name, f"{repeats} records were sent twice by {who}")
        for key in sorted(of_ours.keys() ^ of_peer.keys()):
            who = "us" if key not in of_ours else "the peer"
            report.fault(name, f"the record {'/'.join(key)} was not sent by {who}")
        for key in sorted(of_ours.keys() & of_peer.keys()):
            compare_record(of_ours[key], of_peer[key], stream, (ours, peer), report, counts)
        report.check(of_ours, name, "no records: nothing was compared")
        rows.append([name, len(of_ours), len(of_peer), told(counts, report)])
    report.table(["stream", "ours", "peer", "differences"], rows)
    return report


def compare_changed(streams, first, second):
    """The report on second syncs, each from its own state; `first`, `second`: stream -> both runs."""
    report = Report("records, second sync", CHANGED_RULES)
    rows = []
    for stream in streams:
        name = stream["name"]
        runs = second[name]
        counts = Counter()
        versions = [newest(run.records.get(name, []), stream) for run in runs]
        of_ours, of_peer = versions
        given, _ = by_key(first[name][0].records.get(name, []), stream)
        for key in sorted(of_peer.keys() - of_ours.keys()):
            rule = rule_of_peers_own(name, of_peer[key]) or given_before(stream, given.get(key), of_peer[key])
            if rule:
                counts[rule] += 1
            else:
                report.fault(name, f"the record {'/'.join(key)} was not sent by us")
        for key in sorted(of_ours.keys() - of_peer.keys()):
            if name in OURS_MORE:
                counts["more"] += 1
            else:
                report.fault(name, f"the record {'/'.join(key)} was not sent by the peer")
        for key in sorted(of_ours.keys() & of_peer.keys()):
            compare_record(of_ours[key], of_peer[key], stream, runs, report, counts, rule_of_change)
        rows.append([name, len(of_ours), len(of_peer), told(counts, report)])
    report.table(["stream", "ours", "peer", "differences"], rows)
    return report


def rule_of_change(stream, text):
    """The rule that explains a difference between an event's object and the object as it is, or None."""
    field = re.split(r"[.\[ ]", text, maxsplit=1)[0]
    if field in EXPANDED.get(stream, ()):
        return "expanded"
    if stream == "payment_methods" and text.startswith("is_deleted is True with us"):
        return "detached"
    return None


def newest(records, stream):
    """The records by key, of each the one with the highest cursor value."""
    field = (stream.get("default_cursor_field") or [None])[0]
    found = {}
    for record in records:
        key = key_of(record, stream)
        if key not in found or record.get(field, 0) > found[key].get(field, 0):
            found[key] = record
    return found


def rule_of_peers_own(stream, record):
    """The rule that explains a record of a second sync that the peer alone has sent, or None."""
    own = OBJECTS.get(stream)
    if own and record.get("object") != own:
        return "other object"
    return None


def given_before(stream, ours, peer):
    """The rule that explains a record that the peer alone has sent, if our first sync gave the same, cursor aside."""
    cursors = {CURSOR, *(stream.get("default_cursor_field") or [])}
    if ours is None:
        return None
    other = [
        text
        for rule, text in differences(ours, peer, stream["json_schema"])
        if rule is None and text.split(" ", 1)[0] not in cursors
    ]
    return None if other else "given before"


def told(counts, report):
    """The counts as text, and counted in the report."""
    for rule, count in counts.items():
        report.explain(rule, count)
    return ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))


def rule_of_cursor(ours, peer, our_run, peer_run):
    """The rule that explains that the records have different cursor values, or None."""
    without = "created" not in ours
    at_read = int(peer_run.began) <= peer[CURSOR] <= peer_run.ended
    return "no created" if without and at_read and ours[CURSOR] <= our_run.ended else None
