"""Checks the files that operators get beside the image: metadata.yaml, icon.svg and deploy/.

It checks metadata.yaml against Airbyte's published schema, Kubernetes' manifests against Kubernetes' schemas, and the
compose file against the Compose specification; and all of them against the project: its version, its streams, the
connector's flags, and one security context for every container.

Usage: python3 .ci/check_deploy.py, from the project's folder. Exit status: 0 if there are no faults. Needs no network.
"""

import json
import re
import sys
import tomllib
import xml.etree.ElementTree as ElementTree
from importlib.resources import files
from pathlib import Path

import kubernetes_validate
import yaml
from compose_pydantic import ComposeSpecification
from jsonschema import Draft7Validator, FormatChecker
from pydantic import ValidationError

VERSION = tomllib.loads(Path("Cargo.toml").read_text())["package"]["version"]
STREAMS = {path.stem for path in Path("schemas/stripe").glob("*.json")}
# The oldest supported release, and the newest that the validator knows.
KUBERNETES = ("1.32", "1.37")
# The shell command of both deployments.
LINE = re.compile(
    r'exec "\$AIRBYTE_ENTRYPOINT" read --config /config/config\.json --config-env on '
    r'--state-file /data/state\.json '
    r'--streams "\$STREAMS" > "/data/records-\$\(busybox date -u \+%Y%m%dT%H%M%SZ\)-\$\w+\.jsonl"'
)

problems = []


def expect(is_so, what):
    """Adds a problem if the condition is false."""
    if not is_so:
        problems.append(what)


def bundled(schema):
    """A bundled schema without the addresses of its parts, so that references are resolved in the whole schema."""
    if isinstance(schema, dict):
        return {key: bundled(value) for key, value in schema.items() if not (key == "$id" and isinstance(value, str))}
    return [bundled(value) for value in schema] if isinstance(schema, list) else schema


def metadata():
    """The file for Airbyte's connector registry."""
    schema = files("airbyte_connector_models").joinpath("metadata/v0/ConnectorMetadataDefinitionV0.json")
    document = yaml.safe_load(Path("metadata.yaml").read_text())
    validator = Draft7Validator(bundled(json.loads(schema.read_text())), format_checker=FormatChecker())
    for error in validator.iter_errors(document):
        expect(False, f"metadata.yaml: {'.'.join(map(str, error.path))}: {error.message}")
    data = document["data"]
    expect(data["dockerImageTag"] == VERSION, f"metadata.yaml: the version is not {VERSION}")
    repository = data["dockerRepository"]
    expect(repository.endswith("/source-stripe"), "metadata.yaml: the image is not the Dockerfile's")
    expect(not repository.startswith("airbyte/"), "metadata.yaml: the image would be Airbyte's own on Docker Hub")
    expect("language:rust" in data["tags"], "metadata.yaml: the language is not among the tags")
    unknown = set(data["suggestedStreams"]["streams"]) - STREAMS
    expect(not unknown, f"metadata.yaml: there are no streams {unknown}")
    expect("connectorIPCOptions" not in data, "metadata.yaml: it offers a data channel besides the default")
    icon = ElementTree.parse(data["icon"]).getroot()
    expect(icon.tag == "{http://www.w3.org/2000/svg}svg", "the icon is not an SVG")
    expect(icon.get("width") == icon.get("height"), "the icon is not square")
    used = {element.tag.split("}")[1] for element in icon.iter()}
    expect(not used & {"script", "image", "foreignObject", "use"}, "the icon has more than shapes")


def config(text, where):
    """Checks that a config matches the specification and contains no secret. Returns the variables that it refers to."""
    spec = json.loads(Path("src/sources/stripe/spec.json").read_text())
    document = json.loads(text)
    unknown = set(document) - set(spec["properties"])
    expect(not unknown, f"{where}: the config has no setting {unknown}")
    expect(set(spec["required"]) <= set(document), f"{where}: the config lacks a setting")
    expect(document["client_secret"] == "${STRIPE_API_KEY}", f"{where}: the key is not a reference")
    return set(re.findall(r"\$\{(\w+)\}", text))


def streams(value, where):
    """Checks that every stream exists."""
    unknown = set(value.split(",")) - STREAMS
    expect(not unknown, f"{where}: there are no streams {unknown}")


def image(name, where):
    """Checks that the image is of this version and in the operator's registry: other names would pull another image."""
    expect(name.endswith(f"/source-stripe:{VERSION}"), f"{where}: the version is not {VERSION}")
    expect(not name.startswith("airbyte/"), f"{where}: the image would be Airbyte's own on Docker Hub")


def kubernetes(path):
    """Checks every document against Kubernetes' schemas, strictly, and then its contents."""
    documents = [document for document in yaml.safe_load_all(path.read_text()) if document]
    for document in documents:
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                expect(False, f"{path}: {document['kind']} ({version}): {error.message}")
    kinds = {document["kind"]: document for document in documents}
    job = kinds["CronJob"]["spec"]
    expect(job["concurrencyPolicy"] == "Forbid", f"{path}: two runs may share a state")
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    expect(pod["automountServiceAccountToken"] is False, f"{path}: the connector gets a service account token")
    outer = pod["securityContext"]
    expect(outer["runAsNonRoot"] is True and outer["fsGroup"] == 1000, f"{path}: wrong user, or wrong group of the volume")
    expect(outer["seccompProfile"]["type"] == "RuntimeDefault", f"{path}: no seccomp profile")
    for container in pod["containers"]:
        inner = container["securityContext"]
        expect(inner["readOnlyRootFilesystem"] is True, f"{path}: the root file system is writable")
        expect(inner["allowPrivilegeEscalation"] is False, f"{path}: privileges can escalate")
        expect(inner["capabilities"] == {"drop": ["ALL"]}, f"{path}: it keeps capabilities")
        image(container["image"], path)
        expect("memory" in container["resources"]["limits"], f"{path}: no memory limit")
        command = container["args"][0].replace("$$", "$")
        expect(container["command"] == ["sh", "-c"] and LINE.fullmatch(command), f"{path}: wrong command")
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        expect({volume["name"] for volume in pod["volumes"]} == set(mounted), f"{path}: a volume is not mounted")
        expect(set(mounted.values()) == {"/config", "/data", "/tmp"}, f"{path}: wrong mount paths")
        env = {variable["name"]: variable for variable in container["env"]}
        streams(env["STREAMS"]["value"], path)
        needed = config(kinds["ConfigMap"]["data"]["config.json"], path)
        given = {name for name, variable in env.items() if "secretKeyRef" in variable.get("valueFrom", {})}
        expect(needed == given, f"{path}: the config needs {needed}, the secret has {given}")
    claims = {volume["persistentVolumeClaim"]["claimName"] for volume in pod["volumes"] if "persistentVolumeClaim" in volume}
    expect(claims == {kinds["PersistentVolumeClaim"]["metadata"]["name"]}, f"{path}: unknown volume claim")


def compose(path):
    """Checks the file against the Compose specification, and then its contents."""
    document = yaml.safe_load(path.read_text())
    try:
        ComposeSpecification.model_validate(document)
    except ValidationError as error:
        expect(False, f"{path}: {error}")
    service = document["services"]["source-stripe"]
    image(service["image"], path)
    expect(service["read_only"] is True and service["cap_drop"] == ["ALL"], f"{path}: it has rights that it does not need")
    expect("no-new-privileges:true" in service["security_opt"], f"{path}: privileges can escalate")
    expect("mem_limit" in service, f"{path}: no memory limit")
    command = service["command"][0].replace("$$", "$")
    expect(service["entrypoint"] == ["sh", "-c"] and LINE.fullmatch(command), f"{path}: wrong command")
    data = [volume for volume in service["volumes"] if isinstance(volume, dict) and volume["target"] == "/data"]
    expect(len(data) == 1 and data[0]["type"] == "bind", f"{path}: the files are in no folder of the host")
    expect(data and data[0]["bind"]["create_host_path"] is False, f"{path}: Docker would create a folder of root")
    streams(service["environment"]["STREAMS"], path)
    needed = config((path.parent / "config.json").read_text(), path.parent / "config.json")
    given = {name for name, value in service["environment"].items() if value.startswith("${")}
    expect(needed == given, f"{path}: the config needs {needed}, the environment has {given}")


def main():
    manifests = sorted(Path("deploy/kubernetes").glob("*.yaml"))
    checks = [("metadata.yaml", metadata), *((path, lambda path=path: kubernetes(path)) for path in manifests)]
    for path, check in [*checks, ("deploy/compose.yaml", lambda: compose(Path("deploy/compose.yaml")))]:
        try:
            check()
        except KeyError as missing:
            expect(False, f"{path}: there is no {missing}")
    for problem in problems:
        print(problem)
    if not problems:
        print(f"metadata.yaml, icon.svg and deploy/ match version {VERSION}")
    sys.exit(bool(problems))


main()
