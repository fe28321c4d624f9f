"""Turns files into a C++ source of string constants.
Usage: embed.py OUTPUT NAMESPACE NAME=FILE...   (a .yaml given as NAME.json=FILE is converted to JSON)"""
import json
import sys

import yaml

target, namespace = sys.argv[1:3]
out = ["// Generated; edit the embedded files.", "#include \"platform/embedded.h\"",
       f"namespace {namespace} {{", "const std::map<std::string_view, std::string_view>& embeddedFiles() {",
       "  static const std::map<std::string_view, std::string_view> files{"]
for item in sys.argv[3:]:
    name, path = item.split("=", 1)
    data = open(path, "rb").read()
    if name.endswith(".json") and path.endswith(".yaml"):
        data = json.dumps(yaml.safe_load(data), ensure_ascii=False, default=str).encode()
    # Compilers bound the length of one literal; adjacent pieces are joined by them.
    pieces = []
    for start in range(0, len(data), 4000):
        text = "".join(
            chr(b) if 32 <= b < 127 and chr(b) not in "\"\\?" else "\\%03o" % b
            for b in data[start : start + 4000]
        )
        pieces.append(f'"{text}"')
    body = "\n    ".join(pieces) if pieces else '""'
    out.append(f'    {{"{name}", std::string_view({body}, {len(data)})}},')
out += ["  };", "  return files;", "}", f"}}  // namespace {namespace}", ""]
open(target, "w").write("\n".join(out))
