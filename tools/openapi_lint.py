#!/usr/bin/env python3
"""Checks api/openapi.yaml against itself and against api/errors.yaml.

Prints every fault and exits 1 when there is one. Does not look at the running routes: the contract
test does. Usage: tools/openapi_lint.py [openapi.yaml [errors.yaml]]
"""

import base64
import datetime
import hashlib
import hmac
import json
import pathlib
import re
import sys

import yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
PROBLEM = "application/problem+json"
TYPES = {
    "null": lambda v: v is None,
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
}
# Every keyword that validate() understands or that asserts nothing. Any other is a fault, so that
# no schema is ever checked less than it says.
KEYWORDS = {
    "$ref", "type", "enum", "anyOf", "required", "properties", "additionalProperties", "items",
    "minItems", "maxItems", "uniqueItems", "minimum", "maximum", "minLength", "maxLength", "pattern",
    "format", "description", "default", "example",
}
FORMATS = {
    "int64": None,
    "password": None,
    "date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"),
    "date-time": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"),
}

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


# Reading ------------------------------------------------------------------------------------------
class Loader(yaml.SafeLoader):
    """Refuses a key that stands twice, which YAML readers else resolve silently."""

    def construct_mapping(self, node, deep=False):
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                fault(f"line {key.start_mark.line + 1}", f"key '{key.value}' stands twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(path):
    with open(path, encoding="utf-8") as file:
        return yaml.load(file, Loader)


def check_plain_json(value, where):
    """YAML turns unquoted dates, `off` and the like into what JSON cannot say or did not mean."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                fault(where, f"key {key!r} is not a string; quote it")
            check_plain_json(inner, f"{where}/{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            check_plain_json(inner, f"{where}/{i}")
    elif not (value is None or isinstance(value, (str, int, float, bool))):
        fault(where, f"{value!r} is not a JSON value; quote it")


class Contract:
    def __init__(self, root):
        self.root = root
        self.used = set()

    def target(self, ref):
        """What a local reference points at, or None."""
        if not ref.startswith("#/"):
            return None
        node = self.root
        for part in ref[2:].split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            if not isinstance(node, dict) or part not in node:
                return None
            node = node[part]
        return node

    def resolve(self, node):
        """Follows references of things that have no siblings beside them; {} when broken."""
        for _ in range(20):
            if not isinstance(node, dict) or "$ref" not in node:
                return node
            node = self.target(node["$ref"])
        return {}

    def check_refs(self, node, where="#"):
        if isinstance(node, dict):
            ref = node.get("$ref")
            if isinstance(ref, str):
                self.used.add(ref)
                if self.target(ref) is None:
                    fault(where, f"{ref} does not resolve")
            for key, inner in node.items():
                self.check_refs(inner, f"{where}/{key}")
        elif isinstance(node, list):
            for i, inner in enumerate(node):
                self.check_refs(inner, f"{where}/{i}")

    def check_unused(self):
        for kind, things in self.root["components"].items():
            for name in things:
                ref = f"#/components/{kind}/{name}"
                if kind != "securitySchemes" and ref not in self.used:
                    fault(ref, "is never used")


# Schemas ------------------------------------------------------------------------------------------
def check_schema(contract, schema, where, closed):
    """Keywords, types and formats are known; `closed` also asks for bounds on everything."""
    if not isinstance(schema, dict):
        fault(where, "is not a schema")
        return
    for key in schema.keys() - KEYWORDS:
        fault(where, f"keyword '{key}' is not one this lint understands")
    if "$ref" in schema:
        target = contract.target(schema["$ref"])
        if target is not None:
            check_schema(contract, target, where, closed)
        return
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    for name in types:
        if name not in TYPES:
            fault(where, f"type '{name}' is not a JSON type")
    if not types and "anyOf" not in schema:
        fault(where, "has no type")
    if schema.get("format", "date") not in FORMATS:
        fault(where, f"format '{schema['format']}' is not one this lint understands")
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in properties:
            fault(where, f"requires '{name}', which is not a property")
    if "default" in schema:
        for what in validate(contract, schema["default"], schema):
            fault(where, f"default{what}")
    if closed:
        check_bounds(schema, types, where)
    for name, inner in properties.items():
        check_schema(contract, inner, f"{where}.{name}", closed)
    if "items" in schema:
        check_schema(contract, schema["items"], f"{where}[]", closed)
    for inner in schema.get("anyOf", []):
        check_schema(contract, inner, where, closed)


def check_bounds(schema, types, where):
    if "object" in types and schema.get("additionalProperties") is not False:
        fault(where, "takes unknown fields (additionalProperties is not false)")
    if "array" in types and "maxItems" not in schema:
        fault(where, "has no maxItems")
    if "string" in types and not schema.keys() & {"enum", "maxLength", "pattern"}:
        fault(where, "has no enum, maxLength or pattern")
    if {"integer", "number"} & set(types) and not {"minimum", "maximum"} <= schema.keys():
        fault(where, "has no minimum and maximum")


def same(a, b):
    """Equality of JSON values; Python's own takes True for 1."""
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


def validate(contract, value, schema, place=""):
    """Yields what is wrong with `value`. A property that is not declared is wrong even where the
    schema would let it pass, unless it says so itself: an example shows what there is."""
    if not isinstance(schema, dict):
        return
    if "$ref" in schema:
        yield from validate(contract, value, contract.target(schema["$ref"]), place)
        return
    if "anyOf" in schema:
        tries = [list(validate(contract, value, inner, place)) for inner in schema["anyOf"]]
        if all(tries):
            yield from min(tries, key=len)
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    if types and not any(TYPES[name](value) for name in types if name in TYPES):
        yield f"{place}: {value!r} is not {' or '.join(types)}"
        return
    if "enum" in schema and not any(same(value, allowed) for allowed in schema["enum"]):
        yield f"{place}: {value!r} is not one of {schema['enum']}"
    if isinstance(value, str):
        yield from validate_string(value, schema, place)
    elif TYPES["number"](value):
        if value < schema.get("minimum", value) or value > schema.get("maximum", value):
            yield f"{place}: {value} is out of range"
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{place}: {len(value)} items are too few or too many"
        if schema.get("uniqueItems") and len({json.dumps(v, sort_keys=True) for v in value}) < len(value):
            yield f"{place}: has repeats"
        for i, inner in enumerate(value):
            yield from validate(contract, inner, schema.get("items", {}), f"{place}[{i}]")
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            if name not in value:
                yield f"{place}: '{name}' is missing"
        for name, inner in value.items():
            if name in properties:
                yield from validate(contract, inner, properties[name], f"{place}.{name}")
            elif types and schema.get("additionalProperties") is not True:
                yield f"{place}: '{name}' is not declared"


def validate_string(value, schema, place):
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{place}: {len(value)} characters are too few or too many"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place}: {value!r} does not match {schema['pattern']}"
    pattern = FORMATS.get(schema.get("format"))
    if pattern:
        try:
            if not pattern.fullmatch(value):
                raise ValueError("not RFC 3339")
            datetime.datetime.fromisoformat(value[:19])
        except ValueError as error:
            yield f"{place}: {value!r} is not a {schema['format']}: {error}"


# Operations ---------------------------------------------------------------------------------------
class OperationCheck:
    def __init__(self, contract, errors, path, method, operation):
        self.contract = contract
        self.errors = errors
        self.path = path
        self.method = method
        self.operation = operation
        self.where = f"{method.upper()} {path}"

    def fault(self, what):
        fault(self.where, what)

    def run(self):
        for key in ("operationId", "summary", "tags", "security", "responses", "x-codes"):
            if key not in self.operation:
                self.fault(f"has no {key}")
        if not re.fullmatch(r"[a-z][A-Za-z0-9]*", self.operation.get("operationId", "x")):
            self.fault("operationId is not camelCase")
        tags = {tag["name"] for tag in self.contract.root.get("tags", [])}
        for tag in self.operation.get("tags", []):
            if tag not in tags:
                self.fault(f"tag '{tag}' is not declared")
        schemes = self.contract.root["components"].get("securitySchemes", {})
        for need in self.operation.get("security", []):
            for name in need.keys() - schemes.keys():
                self.fault(f"security scheme '{name}' is not declared")
        self.check_parameters()
        if "requestBody" in self.operation:
            self.check_body()
        self.check_responses()
        self.check_codes()

    def check_parameters(self):
        in_path = set()
        seen = set()
        for node in self.operation.get("parameters", []):
            parameter = self.contract.resolve(node) or {}
            name = parameter.get("name", "?")
            where = f"parameter {name}"
            if (name, parameter.get("in")) in seen:
                self.fault(f"{where} stands twice")
            seen.add((name, parameter.get("in")))
            if parameter.get("in") == "path":
                in_path.add(name)
                if parameter.get("required") is not True:
                    self.fault(f"{where} is in the path and not required")
            if "description" not in parameter:
                self.fault(f"{where} has no description")
            schema = parameter.get("schema")
            check_schema(self.contract, schema, f"{self.where} {where}", closed=True)
            if "example" not in parameter:
                self.fault(f"{where} has no example")
            else:
                self.check_example(parameter["example"], schema, where)
        if in_path != set(re.findall(r"{([^}]*)}", self.path)):
            self.fault("parameters in the path and parameters declared differ")

    def check_body(self):
        body = self.contract.resolve(self.operation["requestBody"]) or {}
        for kind, media in body.get("content", {}).items():
            where = f"body {kind}"
            if "schema" not in media:
                self.fault(f"{where} has no schema")
                continue
            check_schema(self.contract, media["schema"], f"{self.where} {where}", closed=True)
            examples = list(examples_of(media))
            if not examples:
                self.fault(f"{where} has no example")
            for name, example in examples:
                self.check_example(example, media["schema"], f"{where}{name}")

    def check_responses(self):
        responses = self.operation.get("responses", {})
        if not any(status.startswith("2") for status in responses):
            self.fault("has no 2xx answer")
        for status, node in responses.items():
            response = self.contract.resolve(node) or {}
            where = f"answer {status}"
            if not re.fullmatch(r"[1-5][0-9]{2}", status):
                self.fault(f"{where} is not a status")
            if "description" not in response:
                self.fault(f"{where} has no description")
            if "X-Trace-Id" not in response.get("headers", {}):
                self.fault(f"{where} has no X-Trace-Id")
            for name, header in response.get("headers", {}).items():
                header = self.contract.resolve(header) or {}
                check_schema(self.contract, header.get("schema"), f"{self.where} {where} {name}", closed=False)
            for kind, media in response.get("content", {}).items():
                check_schema(self.contract, media.get("schema"), f"{self.where} {where} {kind}", closed=False)
                examples = list(examples_of(media))
                if "json" in kind and not examples:
                    self.fault(f"{where} {kind} has no example")
                for name, example in examples:
                    self.check_example(example, media.get("schema"), f"{where} {kind}{name}")

    def check_codes(self):
        """Codes and error answers agree both ways, and each code's example says what the catalogue says."""
        codes = self.operation.get("x-codes", [])
        responses = self.operation.get("responses", {})
        if len(set(codes)) < len(codes):
            self.fault("x-codes has repeats")
        statuses = set()
        for code in codes:
            error = self.errors.get(code)
            if error is None or error.get("field"):
                self.fault(f"code {code} is not in the catalogue, or is one of a field")
                continue
            status = str(error["status"])
            statuses.add(status)
            if status not in responses:
                self.fault(f"code {code} needs answer {status}")
                continue
            response = self.contract.resolve(responses[status]) or {}
            media = response.get("content", {}).get(PROBLEM, {})
            example = media.get("examples", {}).get(code, {}).get("value")
            if example is None:
                self.fault(f"answer {status} has no example named {code}")
                continue
            expected = {"type": f"/docs#error-{code}", "title": error["en"], "status": error["status"], "code": code}
            for key, wanted in expected.items():
                if not same(example.get(key), wanted):
                    self.fault(f"example of {code}: {key} is {example.get(key)!r}, should be {wanted!r}")
        for status, node in responses.items():
            if PROBLEM in (self.contract.resolve(node) or {}).get("content", {}) and status not in statuses:
                self.fault(f"answer {status} has no code in x-codes")

    def check_example(self, example, schema, where):
        for what in validate(self.contract, example, schema):
            self.fault(f"example of {where}{what}")


def examples_of(media):
    if "example" in media:
        yield "", media["example"]
    for name, example in media.get("examples", {}).items():
        yield f" ({name})", example.get("value")


def check_signature_example(info):
    """The worked example of a signature is true, and the text shows the same values."""
    example = info.get("x-signature-example")
    if example is None:
        fault("info", "has no x-signature-example")
        return
    key = example["signingKey"]
    key = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
    body = hashlib.sha256(example["body"].encode()).hexdigest()
    lines = (example["method"], example["target"], example["timestamp"], example["nonce"], body)
    signature = "v1=" + hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    for name, wanted in (("bodySha256", body), ("signature", signature)):
        if example[name] != wanted:
            fault(f"info/x-signature-example/{name}", f"should be {wanted}")
    for name, value in example.items():
        if value not in info["description"]:
            fault("info/description", f"does not show the {name} of x-signature-example")


def main(arguments):
    root = pathlib.Path(__file__).resolve().parent.parent
    contract_path = arguments[0] if arguments else root / "api" / "openapi.yaml"
    errors_path = arguments[1] if len(arguments) > 1 else root / "api" / "errors.yaml"
    contract = Contract(load(contract_path))
    errors = {error["code"]: error for error in load(errors_path)}

    check_plain_json(contract.root, "#")
    contract.check_refs(contract.root)
    contract.check_unused()
    check_signature_example(contract.root["info"])
    for name, schema in contract.root["components"]["schemas"].items():
        check_schema(contract, schema, f"schema {name}", closed=False)
    operations = {}
    for path, item in contract.root["paths"].items():
        for method, operation in item.items():
            if method not in METHODS:
                fault(path, f"'{method}' is not a method")
                continue
            OperationCheck(contract, errors, path, method, operation).run()
            name = operation.get("operationId")
            if name in operations:
                fault(f"{method.upper()} {path}", f"operationId {name} is also that of {operations[name]}")
            operations[name] = f"{method.upper()} {path}"

    unique = list(dict.fromkeys(faults))
    for line in unique:
        print(line)
    print(f"{len(operations)} operations, {len(unique)} faults", file=sys.stderr)
    return 1 if unique else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
