"""Headers that cannot name columns, and names that try to be more than names."""

from tests.ratchet.sources.hostile.case import csv, kept, refused

AWKWARD = (
    "'; DROP TABLE x; --",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "🏷️ label",
    "a b",
    'say "hi"',
    "^",
    ".*",
    "a*",
    "__proto__",
    "None",
    "index",
    "rowid",
    "c1",
    "c0",
    "{x}",
    "%s",
    "$path",
    "quarantine",
    "key: [id]",
    "#1",
    "literal",
    "len",
    "e\u0301t\u00e9",
)
QUOTED = ",".join('"' + name.replace('"', '""') + '"' for name in AWKWARD)

CASES = (
    refused("a column without a name", csv(",price\n0,2\n"), "column 1 has no name.*index=False"),
    refused("a name of blanks", csv("id,   ,price\n0,1,2\n"), "column 2 has no name"),
    refused("a name twice", csv("id,price,id\n1,2,3\n"), "column 'id' is there 2 times"),
    refused("a name twice but for blanks", csv("id,price, id \n1,2,3\n"), "column 'id' is there 2 times"),
    kept("names that differ in case only", csv("a,A\n1,2\n"), 1, values={"a": [1], "A": [2]}),
    kept(
        "names that look alike, composed and decomposed",
        csv("caf\u00e9,cafe\u0301\n1,2\n"),
        1,
        values={"caf\u00e9": [1], "cafe\u0301": [2]},
    ),
    kept("a name of 250 characters", csv("id," + "n" * 250 + "\n1,2\n"), 1, values={"n" * 250: [2]}),
    refused("a name of 10 kB", csv("id," + "n" * 10_000 + "\n1,2\n"), "10,000 characters"),
    refused("a name that stands for all columns", csv("id,*\n1,2\n"), r"'\*'.*rename"),
    refused("a name that is a pattern of columns", csv("id,^.*$\n1,2\n"), r"\^\.\*\$.*rename"),
    refused("a name of 10 kB twice", csv("id," + ",".join(["n" * 10_000] * 2) + "\n1,2,3\n"), "is there 2 times|characters"),
    kept(
        "names that try to be code",
        csv(QUOTED + "\n" + ",".join(map(str, range(len(AWKWARD)))) + "\n"),
        1,
        values={name: [place] for place, name in enumerate(AWKWARD)},
    ),
    kept(
        "names that try to be code, set aside",
        csv(QUOTED + "\n" + ",".join(["x"] * len(AWKWARD)) + "\n"),
        1,
        aside=1,
        says="is not of type",
        judge={"schema_text": "columns: {'<script>alert(1)</script>': {type: integer}, c0: {type: integer}}"},
    ),
    kept("a name with a line end", csv('id,"two\nlines"\n1,2\n'), 1, values={"two\nlines": [2]}),
    kept(
        "a name with a line end, at fault",
        csv('id,"two\nlines"\n1,x\n'),
        1,
        aside=1,
        says="is not of type",
        judge={"schema_text": 'columns: {id: {type: integer}, "two\\nlines": {type: integer}}'},
    ),
    refused("a name with orders to a terminal, twice", csv("\x1b[2Ja,\x1b[2Ja\n1,2\n"), "is there 2 times"),
    kept("the name of the quarantine's own column", csv("id,quarantine_reason\n1,repaired\n2,repaired\n"), 2, values={"id": [1, 2]}),
    refused("nothing but the quarantine's own column", csv("quarantine_reason\nx\ny\n"), "no column but 'quarantine_reason'", late=True),
    kept(
        "2,000 columns",
        csv(",".join(f"c{n}" for n in range(2_000)) + "\n" + ",".join("1" * 2_000) + "\n"),
        1,
        values={"c1999": [1]},
        once=True,
    ),
    refused("a name that pandas gave to a second column", csv("id,id\n1,2\n"), "is there 2 times"),
    refused("years for names", csv("2021,2022,2023\n1,2,3\n"), "holds numbers, not names"),
    kept("one column", csv("id\n1\n2\n"), 2, values={"id": [1, 2]}),
    refused(
        "a time column that is not there", csv("id,time\n1,2024-03-01\n"), "no time column 'tiem'.*'time'", options={"time_column": "tiem"}
    ),
)
