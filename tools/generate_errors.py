"""Writes error_code.h from api/errors.yaml. Usage: generate_errors.py ERRORS_YAML OUTPUT"""
import json
import sys

import yaml

source, target = sys.argv[1:3]
entries = yaml.safe_load(open(source, encoding="utf-8"))
lines = [
    "// Generated from api/errors.yaml; edit that.",
    "#pragma once",
    "#include <array>",
    "#include <string_view>",
    "namespace tipflow {",
    "enum class ErrorCode {",
    *[f"  {e['code']}," for e in entries],
    "};",
    "/// One entry of the catalogue.",
    "struct ErrorInfo {",
    "  std::string_view code;",
    "  int status;",
    "  bool retry;",
    "  std::string_view en;",
    "  std::string_view zh;",
    "};",
    f"inline constexpr std::array<ErrorInfo, {len(entries)}> kErrorCatalogue{{{{",
    *[
        "    {%s, %d, %s, %s, %s},"
        % (json.dumps(e["code"]), e["status"], str(e["retry"]).lower(), json.dumps(e["en"]),
           json.dumps(e["zh"], ensure_ascii=False))
        for e in entries
    ],
    "}};",
    "constexpr const ErrorInfo& info(ErrorCode code) {",
    "  return kErrorCatalogue[static_cast<unsigned>(code)];",
    "}",
    "}  // namespace tipflow",
    "",
]
open(target, "w", encoding="utf-8").write("\n".join(lines))
