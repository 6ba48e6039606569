"""Checks captured stdout against the Airbyte protocol's published Python models.

The connector's own tests share its authors' reading of the protocol. These models are generated
from Airbyte's definition, so they find mistakes that the code and its tests share.

Usage: python3 .ci/check_protocol.py FILE...

Every line of every FILE must be one AirbyteMessage. The check is stricter than the models: no type
coercion, no field that the protocol does not define (except within a state), only the body that
belongs to the message's `type`, and plain JSON (no NaN, no repeated key).
Exit status: 0 if every line is valid, 1 if a line is not, or a file has no line.
"""

import json
import sys
from collections import Counter

from airbyte_protocol.models import AirbyteMessage
from pydantic import ValidationError

# Invalid lines that are described. The others are only counted.
SHOWN = 10

# Message type -> the field of its body, which must be there. The models make all of them optional.
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
# The same for bodies that have a `type` themselves.
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
# Objects whose contents the connector defines, not the protocol.
FREE = {"stream_state", "shared_state"}


def reject_constant(name):
    raise ValueError(f"{name} is not JSON")


def unique_keys(pairs):
    """Builds an object from its members; a repeated key is an error."""
    counts = Counter(key for key, _ in pairs)
    repeated = sorted(key for key, count in counts.items() if count > 1)
    if repeated:
        raise ValueError(f"repeated key: {', '.join(repeated)}")
    return dict(pairs)


def model_errors(line):
    """The errors of the protocol's models for `line` (bytes), as texts."""
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
    """The errors of a message's body, which must be that of its type. The models have accepted the message."""
    kind = message["type"]
    field = BODY.get(kind)
    if field is None:
        return [f"type: a source does not emit {kind}"]
    bodies = sorted(key for key in message if key != "type" and message[key] is not None)
    if bodies != [field]:
        return [f"type {kind} needs only the body `{field}`, found {bodies}"]
    if kind in NESTED_BODY:
        # Only a state may omit its type; it is LEGACY then.
        nested_kind = message[field].get("type") or "LEGACY"
        nested = NESTED_BODY[kind][nested_kind]
        if message[field].get(nested) is None:
            return [f"{field}: type {nested_kind} needs the body `{nested}`"]
    return []


def check_line(line):
    """The type of the message in `line` (bytes), and its errors as texts."""
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
            print(f"{path}: the file has no line")
        summary = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
        print(f"{path}: {number} lines: {summary or 'no valid message'}")
        failures += bad
    if failures > SHOWN:
        print(f"{failures} failures, the first {SHOWN} are shown")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
