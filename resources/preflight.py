"""Says what of a script's imports its interpreter has not got, without running any of it.

preflight.py file PATH     what the file imports at its top level, outside `try`
preflight.py module NAME   the module itself

Prints a JSON object: {"missing": [names]} or {"syntax": "line 3: invalid syntax"}. Nothing but the standard library of
Python 3.6 is used. Finding a top-level module looks for its file; it is not imported.
"""

import ast
import importlib.util
import json
import os
import sys

# A script's own directory comes first for it, not that of this file.
kind, what = sys.argv[1:3]
sys.path[0] = os.path.dirname(os.path.abspath(what)) if kind == "file" else os.getcwd()


def imported(path):
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def is_missing(name):
    try:
        return importlib.util.find_spec(name) is None
    except (ImportError, AttributeError, ValueError):
        # A module without a specification is there all the same.
        return name not in sys.modules


try:
    names = [what] if kind == "module" else list(imported(what))
    tops = sorted({name.split(".")[0] for name in names})
    print(json.dumps({"missing": [name for name in tops if is_missing(name)]}))
except SyntaxError as error:
    print(json.dumps({"syntax": "line %s: %s" % (error.lineno, error.msg)}))
