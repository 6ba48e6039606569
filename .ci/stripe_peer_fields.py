"""Tells which fields airbyte/source-stripe declares: the table that our schemas are held against.

Usage: pip install airbyte-source-stripe==VERSION
       source-stripe discover --config CONFIG | python3 .ci/stripe_peer_fields.py VERSION \
           > integration_tests/stripe/peer_fields.tsv

discover makes no request, so any config of the right form will do. Names and types only, two levels deep;
the members of an array's items count as those of the array.
"""

import json
import sys


def alternatives(schema):
    """The schema itself and what its `oneOf` and `anyOf` offer."""
    return [schema, *schema.get("oneOf", []), *schema.get("anyOf", [])]


def types(schema):
    """The types a value may have, without null, as one word."""
    found = set()
    for each in alternatives(schema):
        declared = each.get("type", [])
        found.update([declared] if isinstance(declared, str) else declared)
    return "|".join(sorted(found - {"null"})) or "-"


def fields(schema, prefix, depth):
    """Path and types of every field down to `depth` levels."""
    for part in alternatives(schema):
        for name, field in part.get("properties", {}).items():
            path = prefix + name
            yield path, types(field)
            if depth > 1:
                yield from fields(field, f"{path}.", depth - 1)
                yield from fields(field.get("items", {}), f"{path}[].", depth - 1)


def main(arguments):
    if len(arguments) != 1:
        sys.exit("usage: stripe_peer_fields.py VERSION < CATALOG.jsonl")
    messages = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    (catalog,) = [message["catalog"] for message in messages if message["type"] == "CATALOG"]
    print(
        f"# What airbyte/source-stripe {arguments[0]} declares, two levels deep: stream, field, types."
        " Made by .ci/stripe_peer_fields.py, which says how."
    )
    for stream in catalog["streams"]:
        for path, declared in sorted(dict(fields(stream["json_schema"], "", 2)).items()):
            print(stream["name"], path, declared, sep="\t")


if __name__ == "__main__":
    main(sys.argv[1:])
