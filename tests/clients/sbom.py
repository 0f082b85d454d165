"""Checks a bill of materials with the tools of the two formats' own projects. usage: sbom.py spdx|cyclonedx FILE"""

import json
import sys

form, path = sys.argv[1:]
if form == "cyclonedx":
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    with open(path) as file:
        error = JsonStrictValidator(SchemaVersion.V1_5).validate_str(file.read())
    errors = [str(error)] if error else []
    packages = len(json.load(open(path))["components"])
else:
    from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = JsonLikeDictParser().parse(json.load(open(path)))
    errors = [message.validation_message for message in validate_full_spdx_document(document)]
    packages = len(document.packages) - 1

if errors:
    sys.exit("\n".join(errors))
print(packages)
