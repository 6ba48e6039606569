"""Compares the records of both connectors, read in full from the same mock.

Records are matched by primary key. What differs must be what a rule says, and nothing else.
"""

from collections import Counter

from report import Report

RULES = {
    "null dropped": "the peer leaves out fields that are null; we send what Stripe sent",
    "to number": "the peer turns integers into floats where its schema says number",
    "to integer": "the peer turns booleans and floats into integers where its schema says integer",
    "to string": "the peer turns values into text where its schema says string",
    "to boolean": "the peer turns values into booleans where its schema says boolean",
    "to array": "the peer wraps a single value where its schema says array",
    "to repr": "the peer writes objects as Python's own text where its schema says string",
    "no created": "an object without a time of creation gets the time of the read",
    "seen twice": "the peer reads the same object in two windows or pages, and sends it twice",
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
            case "boolean":
                return bool(value), "to boolean"
            case "array" if not isinstance(value, (dict, list)):
                return [value], "to array"
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
    """The values of the primary key, or the whole record where there is none."""
    paths = stream.get("source_defined_primary_key") or [[name] for name in sorted(record)]
    return tuple(repr(record.get(path[0])) for path in paths)


def by_key(records, stream):
    """Records by primary key, and how many were sent more than once."""
    found = {key_of(record, stream): record for record in records}
    return found, len(records) - len(found)


def compare(streams, ours, peer):
    """The report on two runs of the peer's streams (catalog entries)."""
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
        report.check(not our_repeats, name, f"{our_repeats} records were sent again by us")
        if peer_repeats:
            counts["seen twice"] += peer_repeats
        for key in of_ours.keys() | of_peer.keys():
            if key not in of_ours or key not in of_peer:
                who = "us" if key not in of_ours else "the peer"
                report.fault(name, f"the record {', '.join(key)} was not sent by {who}")
                continue
            found = differences(of_ours[key], of_peer[key], stream["json_schema"])
            for rule, text in found:
                if rule is None and text.startswith(f"{CURSOR} is"):
                    moments = of_ours[key].get(CURSOR), of_peer[key].get(CURSOR)
                    if all(map(is_read_time, moments, (ours, peer))):
                        rule = "no created"
                if rule is None:
                    report.fault(name, f"{', '.join(key)}: {text}")
                else:
                    counts[rule] += 1
        for rule, count in counts.items():
            report.explain(rule, count)
        report.check(of_ours, name, "no records: nothing was compared")
        told = ", ".join(f"{rule} {count}" for rule, count in sorted(counts.items()))
        rows.append([name, len(of_ours), len(of_peer), told])
    report.table(["stream", "ours", "peer", "differences"], rows)
    return report


def is_read_time(value, run):
    """Whether a cursor value is a moment of the run."""
    return isinstance(value, (int, float)) and int(run.began) <= value <= run.ended
