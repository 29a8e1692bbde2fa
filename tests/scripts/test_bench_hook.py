import json
import os

from scripts.bench_hook import Imports, record


def test_an_import_inside_an_import_is_not_counted_twice():
    imports = Imports()
    for _ in range(2):
        imports._inside.append(0.0)
    imports._took("inner", 1.0)
    imports._took("outer", 3.0)
    assert imports.packages == {"inner": 1.0, "outer": 2.0}
    assert imports.total == 3.0


def test_what_is_written_down_is_this_process(tmp_path):
    record(str(tmp_path), Imports())
    values = json.loads((tmp_path / f"{os.getpid()}.json").read_text())
    assert values["identity"] == os.getpid()
    assert values["peak"] > 10
    assert values["spent"] > 0
