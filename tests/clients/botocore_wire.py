"""botocore's own serialisers and parsers, a JSON line in, a JSON line out; ends with its input.

{"do": "serialize", "service", "version", "operation", "parameters"} -> {"method", "path", "query", "headers", "body"}
{"do": "parse", "service", "version", "operation", "status", "headers", "body"} -> botocore's parsed answer
Bodies and blobs are base64; instants are milliseconds since 1970.
"""

import base64
import datetime
import functools
import io
import json
import sys
import traceback
from urllib.parse import urlencode

from botocore import parsers, serialize
from botocore.awsrequest import HeadersDict
from botocore.loaders import Loader
from botocore.model import ServiceModel

UTC = datetime.timezone.utc


@functools.lru_cache
def service_model(name, version):
    return ServiceModel(Loader().load_service_model(name, "service-2", version), name)


def to_python(value, shape):
    """Parameters as a caller of botocore has them."""
    if shape.type_name == "structure":
        return {name: to_python(member, shape.members[name]) for name, member in value.items()}
    if shape.type_name == "list":
        return [to_python(item, shape.member) for item in value]
    if shape.type_name == "blob":
        return base64.b64decode(value)
    if shape.type_name == "timestamp":
        return datetime.datetime.fromtimestamp(value / 1000, UTC)
    return value


def to_json(value, shape):
    """What a caller of botocore gets, as JSON."""
    if shape.type_name == "structure":
        return {name: to_json(member, shape.members[name]) for name, member in value.items()}
    if shape.type_name == "list":
        return [to_json(item, shape.member) for item in value]
    if shape.type_name == "blob":
        return base64.b64encode(value.read() if hasattr(value, "read") else value).decode()
    if shape.type_name == "timestamp":
        since = value.astimezone(UTC) - datetime.datetime.fromtimestamp(0, UTC)
        return round(since / datetime.timedelta(microseconds=1) / 1000)
    return value


def serialize_request(question):
    service = service_model(question["service"], question["version"])
    operation = service.operation_model(question["operation"])
    parameters = to_python(question["parameters"], operation.input_shape)
    serializer = serialize.create_serializer(service.metadata["protocol"], include_validation=False)
    request = serializer.serialize_to_request(parameters, operation)
    body = request["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    if isinstance(body, str):
        body = body.encode()
    query = request["query_string"]
    return {
        "method": request["method"],
        "path": request["url_path"],
        "query": {name: str(value) for name, value in query.items()} if query else {},
        "headers": {name: str(value) for name, value in request["headers"].items()},
        "body": base64.b64encode(body or b"").decode(),
    }


def parse_answer(question):
    service = service_model(question["service"], question["version"])
    operation = service.operation_model(question["operation"])
    parser = parsers.create_parser(service.metadata["protocol"])
    body = base64.b64decode(question["body"])
    answer = {
        "status_code": question["status"],
        "headers": HeadersDict(question["headers"]),
        "body": io.BytesIO(body) if operation.has_streaming_output and question["status"] < 300 else body,
    }
    parsed = parser.parse(answer, operation.output_shape)
    parsed.pop("ResponseMetadata")
    if question["status"] >= 300 or operation.output_shape is None:
        return parsed
    return to_json(parsed, operation.output_shape)


for line in sys.stdin:
    question = json.loads(line)
    do = {"serialize": serialize_request, "parse": parse_answer}[question["do"]]
    try:
        answer = do(question)
    except Exception:  # told to the test, which names the request or answer that botocore cannot cope with
        answer = {"botocore raised": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
