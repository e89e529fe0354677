"""The JSON Schema of the configuration: what the module accepts, it accepts, and it refuses what has the wrong form."""

import json
import re

import fastjsonschema
import pytest
import yaml
from packages import ROOT

SCHEMA = ROOT / "schema"
TESTDATA = ROOT / "testdata"

TOLD_BY_FORM = re.compile(
    r": (?:expected (?!a whole number)|unknown field|`\w+` is (?:a field|no field|not built)|no path pattern|"
    r"more than one path pattern|nobody could pass this rule; add|expected a whole number|no `\w+`; add it|"
    r"an empty pattern|`\*` is no wildcard|`\{` and `\}`|a blank at the beginning or end; remove|"
    r"an empty array covers nothing|no method has this name)"
)
"""Errors of what a schema can see: types, names, numbers, what must be there. A hash or a regex it cannot."""


@pytest.fixture(scope="module")
def is_valid():
    """Whether the committed schema accepts a configuration."""
    validate = fastjsonschema.compile(json.loads((SCHEMA / "configuration.json").read_text()))

    def judge(configuration):
        try:
            validate(configuration)
        except fastjsonschema.JsonSchemaValueException:
            return False
        return True

    return judge


def accepted():
    """Every configuration that the module accepts, each with where it is from."""
    for file in sorted((TESTDATA / "decisions").glob("*.json")):
        yield file.name, json.loads(file.read_text())["configuration"]
    for row in json.loads((TESTDATA / "warnings.json").read_text())["warnings"]:
        if "configuration" in row:
            yield "warnings.json", row["configuration"]
    for file in sorted((ROOT / "examples").rglob("*.json")):
        configuration = json.loads(file.read_text())
        if "basic_auth_rules" in configuration:
            yield file.name, configuration
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            for value in string_values(document):
                if "basic_auth_rules" in value:
                    yield file.name, json.loads(value)


def string_values(node):
    """The texts that a document of Envoy's holds as `google.protobuf.StringValue`."""
    if isinstance(node, dict):
        if str(node.get("@type")).endswith("google.protobuf.StringValue"):
            yield node["value"]
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from string_values(item)


def plugins():
    """The WasmPlugins and TrafficExtensions of the examples."""
    for file in sorted((ROOT / "examples").rglob("*.yaml")):
        for resource in yaml.safe_load_all(file.read_text()):
            if isinstance(resource, dict) and resource.get("kind") in ("WasmPlugin", "TrafficExtension"):
                yield file.name, resource


def test_what_the_module_accepts_the_schema_accepts(is_valid):
    configurations = list(accepted())
    assert len(configurations) > 40
    assert [name for name, configuration in configurations if not is_valid(configuration)] == []


def test_what_has_the_wrong_form_the_schema_refuses(is_valid):
    rows = json.loads((TESTDATA / "refusals.json").read_text())["refusals"]
    refused, missed = 0, []
    for row in rows:
        errors = row.get("errors", [row.get("error")])
        if "configuration" not in row or not any(TOLD_BY_FORM.search(error) for error in errors):
            continue
        if is_valid(row["configuration"]):
            missed.append(row)
        else:
            refused += 1
    assert missed == []
    assert refused > 60


def test_a_resource_is_judged_by_its_configuration():
    validate = fastjsonschema.compile(json.loads((SCHEMA / "plugin.json").read_text()))
    resources = list(plugins())
    assert len(resources) >= 5
    for _, resource in resources:
        validate(resource)
        spec = resource["spec"]
        spec.get("wasm", spec)["pluginConfig"]["basic_auth_rules"][0]["credential"] = ["ok:test"]
        with pytest.raises(fastjsonschema.JsonSchemaValueException, match="credential"):
            validate(resource)
