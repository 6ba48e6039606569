"""Checks that components.txt agrees with airbyte-cdk's schema of the components of a manifest.

    python3 -m venv VENV && VENV/bin/pip install airbyte-cdk==7.39.1
    VENV/bin/python .ci/check_components.py            prints a diff and exits with 1 if they differ
    VENV/bin/python .ci/check_components.py --write    rewrites components.txt

The head of the file describes its format. It has no descriptions, examples or defaults.
"""

import difflib
import importlib.resources
import pathlib
import sys

import yaml

FILE = pathlib.Path(__file__).parent.parent / "src/sources/declarative/manifest/components/components.txt"

HEAD = """\
# The components of a manifest and their fields, as airbyte-cdk 7.39.1 validates them.
# Generated and checked by .ci/check_components.py.
#
# A line at the margin begins a component. After its name, `closed` forbids other fields, `loose` also allows values that
# are not mappings, `deprecated` marks a deprecated one. Each field has a line below it: `!` is required, `~` is deprecated,
# then come its types. `? a b` requires one of these fields. `Name = ...` is an alias of a type.
# text integer number boolean null any list mapping 'a word' [list of] {mapping to} Component, or several with |
"""

JSON_TYPES = {
    "string": "text", "integer": "integer", "number": "number", "boolean": "boolean", "null": "null",
    "array": "list", "object": "mapping",
}
# The type of the values that a keyword restricts.
OF_TYPE = {
    "properties": "mapping", "additionalProperties": "mapping", "required": "mapping", "items": "list",
    "minItems": "list", "uniqueItems": "list",
}
# Keywords that restrict no value.
IGNORED = {
    "title", "description", "examples", "example", "default", "interpolation_context", "deprecated",
    "deprecation_message", "linkable", "sharable", "suggestions", "$id", "$schema", "version", "definitions",
    "interpolation", "additional_properties",
}


class Table:
    def __init__(self, schema):
        self.definitions = schema["definitions"]
        self.blocks = []
        self.component("DeclarativeSource", schema)
        for name in sorted(self.definitions):
            definition = self.definitions[name]
            if "properties" in definition:
                self.component(name, definition)
            else:
                self.blocks.append([f"{name} = {self.kind(definition, name)}"])

    def component(self, name, schema):
        self.only(schema, name, {"type", "required", "properties", "additionalProperties", "anyOf"})
        assert schema.get("type", "object") == "object", name
        head = name if "type" in schema else f"{name} loose"
        if schema.get("additionalProperties", True) is False:
            head += " closed"
        else:
            assert schema.get("additionalProperties", True) is True, name
        if schema.get("deprecated"):
            head += " deprecated"
        block = [head]
        self.blocks.append(block)
        fields = schema["properties"]
        required = set(schema.get("required", []))
        for field, value in fields.items():
            marks = ("!" if field in required else "") + ("~" if value.get("deprecated") else "")
            block.append(f"  {field}{marks} {self.kind(value, f'{name}.{field}')}")
        for field in sorted(required - set(fields)):
            block.append(f"  {field}! any")
        for group in [schema["anyOf"]] if "anyOf" in schema else []:
            names = []
            for alternative in group:
                assert set(alternative) == {"required"} and len(alternative["required"]) == 1, name
                names += alternative["required"]
            block.append("  ? " + " ".join(names))

    def only(self, schema, place, known):
        unknown = set(schema) - IGNORED - known
        assert not unknown, f"{place} has a keyword that this script does not know: {unknown}"

    def kind(self, schema, place):
        if "$ref" in schema:
            # JSON Schema draft 7 ignores what is beside a $ref.
            return schema["$ref"].removeprefix("#/definitions/")
        if "anyOf" in schema:
            self.only(schema, place, {"anyOf"} | ({"type"} if schema.get("type") == "object" else set()))
            return " | ".join(self.kind(one, f"{place}.{index}") for index, one in enumerate(schema["anyOf"]))
        if "enum" in schema:
            self.only(schema, place, {"enum", "type"})
            return " | ".join(f"'{word}'" for word in schema["enum"])
        if isinstance(schema.get("type"), list):
            return " | ".join(self.kind(schema | {"type": one}, place) for one in schema["type"])
        if "type" not in schema and "properties" in schema:
            self.component(place, schema)
            return place
        if "type" not in schema:
            self.only(schema, place, set())
            return "any"
        kind = JSON_TYPES[schema["type"]]
        # JSON Schema ignores keywords of other types.
        schema = {key: value for key, value in schema.items() if OF_TYPE.get(key, kind) == kind}
        if kind == "mapping":
            if "properties" in schema:
                self.component(place, schema)
                return place
            self.only(schema, place, {"type", "additionalProperties"})
            values = schema.get("additionalProperties", True)
            if values is not True:
                return "{" + self.kind(values, f"{place}.*") + "}"
        elif kind == "list":
            self.only(schema, place, {"type", "items", "minItems", "uniqueItems"})
            if "items" in schema:
                kind = "[" + self.kind(schema["items"], f"{place}.*") + "]"
            kind += f">={schema['minItems']}" if "minItems" in schema else ""
            kind += "!" if schema.get("uniqueItems") else ""
        else:
            self.only(schema, place, {"type", "minimum", "exclusiveMinimum"})
            kind += f">={schema['minimum']}" if "minimum" in schema else ""
            kind += f">{schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""
        return kind

    def text(self):
        return HEAD + "".join("\n" + "\n".join(block) + "\n" for block in self.blocks)


def main():
    package = importlib.resources.files("airbyte_cdk.sources.declarative")
    schema = yaml.safe_load(package.joinpath("declarative_component_schema.yaml").read_text())
    expected = Table(schema).text()
    if "--write" in sys.argv[1:]:
        FILE.write_text(expected)
        return 0
    found = FILE.read_text() if FILE.exists() else ""
    diff = difflib.unified_diff(found.splitlines(), expected.splitlines(), "components.txt", "airbyte-cdk", lineterm="")
    lines = list(diff)
    print("\n".join(lines) or f"components.txt is current: {expected.count('  type! ')} components with a type")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
