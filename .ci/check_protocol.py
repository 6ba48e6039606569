"""Checks captured standard output against the Airbyte protocol's published Python models.

The connector's own tests share its authors' reading of the protocol. These models are generated
from Airbyte's definition of it, so they catch what both the code and its tests got wrong.

Usage: python3 .ci/check_protocol.py FILE...

Every line of every FILE must be one AirbyteMessage, and more strictly than the models ask alone:
no type coercion, no field the protocol does not define (outside a stream's own state, which is
free), the body that the message's `type` announces, and plain JSON (no NaN, no repeated key).
Exit status: 0 when every line passes, 1 on any bad line or a file without a line.
"""

import json
import sys
from collections import Counter

from airbyte_protocol.models import AirbyteMessage
from pydantic import ValidationError

# How many bad lines are described before the rest are only counted.
SHOWN = 10

# Message type -> the field that must hold its body. The models leave all of them optional.
BODY = {
    "RECORD": "record",
    "STATE": "state",
    "LOG": "log",
    "SPEC": "spec",
    "CONNECTION_STATUS": "connectionStatus",
    "CATALOG": "catalog",
    "TRACE": "trace",
    "CONTROL": "control",
}
# The same one level down, for the bodies that have a `type` of their own.
NESTED_BODY = {
    "STATE": {"STREAM": "stream", "GLOBAL": "global", "LEGACY": "data"},
    "TRACE": {
        "ERROR": "error",
        "ESTIMATE": "estimate",
        "STREAM_STATUS": "stream_status",
        "ANALYTICS": "analytics",
    },
    "CONTROL": {"CONNECTOR_CONFIG": "connectorConfig"},
}
# The objects whose content belongs to the connector, not to the protocol.
FREE = {"stream_state", "shared_state"}


def reject_constant(name):
    raise ValueError(f"{name} is not JSON")


def unique_keys(pairs):
    """Builds an object from its members; a key given twice is an error."""
    counts = Counter(key for key, _ in pairs)
    repeated = sorted(key for key, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"key given twice: {', '.join(repeated)}")
    return dict(pairs)


def model_errors(line):
    """What the protocol's models object to in `line` (bytes), one text each."""
    try:
        AirbyteMessage.model_validate_json(line, strict=True, extra="forbid")
    except ValidationError as refused:
        return [
            f"{'.'.join(map(str, error['loc'])) or 'message'}: {error['msg']}"
            for error in refused.errors(include_url=False)
            if not (error["type"] == "extra_forbidden" and FREE.intersection(error["loc"][:-1]))
        ]
    return []


def body_errors(message):
    """Whether a message that the models accept carries exactly the body its type announces."""
    kind = message["type"]
    field = BODY.get(kind)
    if field is None:
        return [f"type: a source does not emit {kind}"]
    bodies = sorted(key for key in message if key != "type" and message[key] is not None)
    if bodies != [field]:
        return [f"type {kind} needs the body `{field}` alone, found {bodies}"]
    if kind in NESTED_BODY:
        # The protocol reads a state without a type as LEGACY; the others require theirs.
        nested_kind = message[field].get("type") or "LEGACY"
        nested = NESTED_BODY[kind][nested_kind]
        if message[field].get(nested) is None:
            return [f"{field}: type {nested_kind} needs the body `{nested}`"]
    return []


def check_line(line):
    """The type of the message in `line` (bytes) and what is wrong with it, one text each."""
    try:
        message = json.loads(line, parse_constant=reject_constant, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError) as error:
        return None, [f"not JSON: {error}"]
    errors = model_errors(line)
    if errors:
        return None, errors
    return message["type"], body_errors(message)


def main(paths):
    if not paths:
        sys.exit("usage: check_protocol.py FILE...")
    failures = 0
    for path in paths:
        counts = Counter()
        number = bad = 0
        with open(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                kind, errors = check_line(line)
                if not errors:
                    counts[kind] += 1
                    continue
                bad += 1
                if failures + bad <= SHOWN:
                    print(f"{path}:{number}: {'; '.join(errors)}")
        if number == 0:
            bad = 1
            print(f"{path}:0: no line")
        summary = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print(f"{path}: {number} lines: {summary or 'no valid message'}")
        failures += bad
    if failures > SHOWN:
        print(f"{failures} failures in all, the first {SHOWN} shown")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
