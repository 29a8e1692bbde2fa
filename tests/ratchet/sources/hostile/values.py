"""Values that are not what their column says, or that lose something on the way to a type."""

from tests.ratchet.sources.hostile.case import Case, csv, kept, refused

BIG = ["9007199254740993", "9223372036854775807", "-9223372036854775808"]


def typed(kind: str, name: str = "x") -> dict[str, str]:
    """Return the options of `validate` under which one column is of a kind."""
    return {"schema_text": f"columns: {{{name}: {{type: {kind}, max_missing: 0.9}}}}"}


def column(name: str, *texts: str, values: list[object] | None = None, **more: object) -> Case:
    """Return a case of one column `x` beside a counter."""
    rows = "".join(f"{place},{text}\n" for place, text in enumerate(texts))
    shown = {"x": values} if values is not None else {}
    return kept(name, csv("n,x\n" + rows), len(texts), values=shown, **more)  # type: ignore[arg-type]


def clock(name: str, *texts: str, values: list[object], **more: object) -> Case:
    """Return a case of one column of times."""
    return column(name, *texts, values=values, options={"time_column": "x"}, **more)


def no_clock(name: str, *texts: str, says: str) -> Case:
    """Return a case of a time column that must be refused."""
    rows = "".join(f"{place},{text}\n" for place, text in enumerate(texts))
    return refused(name, csv("n,x\n" + rows), says, options={"time_column": "x"})


CASES = (
    column("integers at the ends of 64 bits", *BIG, values=[int(text) for text in BIG]),
    column("integers beyond 64 bits stay texts", "1", "9223372036854775808", values=["1", "9223372036854775808"]),
    column(
        "integers beyond 64 bits, set aside",
        "1",
        "9223372036854775808",
        aside=1,
        says="x 9223372036854775808 is not of",
        judge=typed("integer"),
    ),
    column("a card number among numbers", "1.5", "4539148803436467000", values=["1.5", "4539148803436467000"]),
    column("codes with leading zeros", "007", "08", values=["007", "08"]),
    column("NaN, set aside", "1.5", "NaN", aside=1, says="x NaN is not a finite", judge=typed("number")),
    column("infinities, set aside", "1.5", "inf", "-Infinity", aside=2, says="is not a finite", judge=typed("number")),
    column("a number beyond floats, set aside", "1.5", "1e400", aside=1, says="is not a finite|not of type", judge=typed("number")),
    column("numbers next to nothing", "5e-324", "-0.0", "0.0", values=[5e-324, -0.0, 0.0]),
    column("seventeen digits", "0.30000000000000004", "0.3", values=[0.30000000000000004, 0.3]),
    column("thousands with commas", '"1,234"', '"5,678"', values=["1,234", "5,678"]),
    column("thousands with blanks, set aside", "1 234", "5", aside=1, says="x 1 234 is not of type", judge=typed("integer")),
    column("money", "€5.00", "$7", "12%", values=["€5.00", "$7", "12%"]),
    column("hexadecimal, octal, underscores", "0x1F", "0o17", "1_000", values=["0x1F", "0o17", "1_000"]),
    column("digits of other scripts", "１２", "٣", values=["１２", "٣"]),
    column("a minus of typographers", "−5", "5", values=["−5", "5"]),
    column("a letter for a digit, set aside", "10", "1O", "l2", aside=2, says="x 1O is not of type", judge=typed("integer")),
    column("fractions where integers should be", "1", "2.5", aside=1, says="x 2.5 is not of type integer", judge=typed("integer")),
    column("yes and no are no booleans", "yes", "no", values=["yes", "no"]),
    column("booleans in all cases", "TRUE", "false", "True", values=[True, False, True]),
    column("true among ones", "true", "1", values=["true", "1"]),
    column("nothing in many spellings", "1", "NA", "NULL", "None", "N/A", "null", "", values=[1, None, None, None, None, None, None]),
    column(
        "a text after a thousand numbers",
        *map(str, range(1_500)),
        "oops",
        aside=1,
        says="x oops is not of type integer",
        judge=typed("integer"),
    ),
    column(
        "formulas of spreadsheets stay texts",
        "=1+1",
        "+1",
        "@SUM(A1)",
        '"=HYPERLINK(""http://x"",""y"")"',
        values=["=1+1", "+1", "@SUM(A1)", '=HYPERLINK("http://x","y")'],
    ),
    column("formulas, set aside", "5", "=cmd|' /C calc'!A0", aside=1, says="x =cmd", judge=typed("integer")),
    column("errors of spreadsheets, set aside", "5", "#N/A", "#DIV/0!", "#REF!", aside=3, says="x #N/A is not of", judge=typed("number")),
    column("markup, set aside", "5", "<script>alert(1)</script>", aside=1, says="is not of type", judge=typed("number")),
    column("Markdown that would run away, set aside", "5", '"a|b\n\n# Title"', aside=1, says="is not of type", judge=typed("number")),
    column("a value of 100 kB, set aside", "5", "y" * 100_000, aside=1, says="x y+ is not of type", judge=typed("number")),
    column("an empty text and a blank one", '""', "' '", "a", values=[None, "' '", "a"]),
    column("keys that repeat", "1", "1", "2", aside=1, says=r"x 1 repeats a key", judge={**typed("integer"), "key": ["x"]}),
    column("keys that are missing", "1", "", "2", aside=1, says="x is missing", judge={**typed("integer"), "key": ["x"]}),
    column(
        "dates in mixed forms, set aside",
        "2024-03-01",
        "03/04/2024",
        "1 Mar 2024",
        aside=2,
        says="x 03/04/2024 is not of type datetime",
        judge=typed("datetime"),
    ),
    column("dates in mixed forms are no dates", "2024-03-01", "03/04/2024", values=["2024-03-01", "03/04/2024"]),
    column("slashes and dashes, years first", "2024/03/01", "2024-03-02", values=["2024-03-01 00:00:00", "2024-03-02 00:00:00"]),
    column("Excel's numbers of days", "45352", "45353.5", values=[45352.0, 45353.5]),
    no_clock("dates in mixed forms, as the clock", "2024-03-01", "03/04/2024", says=r"row 2 .*'03/04/2024'"),
    no_clock("the 30th of February", "2024-02-29", "2024-02-30", says=r"row 2 .*'2024-02-30'"),
    no_clock("29 February of an ordinary year", "2023-02-29", says=r"row 1 .*'2023-02-29'"),
    no_clock("24 o'clock", "2024-03-01T23:00:00", "2024-03-01T24:00:00", says=r"row 2 .*24:00:00"),
    no_clock("booleans for a clock", "true", "false", says="true and false"),
    clock("an hour that the clock change left out", "2024-03-31T02:30:00", values=["2024-03-31 02:30:00"]),
    clock(
        "an hour that the clock change doubled",
        "2024-10-27T02:30:00+02:00",
        "2024-10-27T02:30:00+01:00",
        values=["2024-10-27 00:30:00", "2024-10-27 01:30:00"],
    ),
    clock(
        "offsets of all kinds",
        "2024-03-01T12:00:00Z",
        "2024-03-01T12:00:00-05:30",
        "2024-03-01 12:00:00+0100",
        "2024-03-01T12:00:00",
        values=["2024-03-01 12:00:00", "2024-03-01 17:30:00", "2024-03-01 11:00:00", "2024-03-01 12:00:00"],
    ),
    clock("an offset that changes the year", "2024-01-01T00:30:00+01:00", values=["2023-12-31 23:30:00"]),
    clock("times of nanoseconds", "2024-03-01T12:00:00.123456789", values=["2024-03-01 12:00:00.123456"]),
    clock(
        "the first and the last day of the calendar",
        "0001-01-01",
        "9999-12-31T23:59:59.999999",
        values=["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"],
    ),
    clock("days beyond what nanoseconds reach", "1677-09-20", "2262-04-12", values=["1677-09-20 00:00:00", "2262-04-12 00:00:00"]),
    no_clock("the year 0", "2024-03-01", "0000-01-01", says=r"row 2 .*'0000-01-01'"),
    no_clock("the year 10000", "2024-03-01", "10000-01-01", says=r"row 2 .*'10000-01-01'"),
    no_clock("a year before Christ", "2024-03-01", "-0044-03-15", says=r"row 2 .*'-0044-03-15'"),
    no_clock("a last moment that an offset moves out of the calendar", "9999-12-31T23:30:00-01:00", says="row 1"),
    clock(
        "a leap second is the second after it",
        "2016-12-31T23:59:59",
        "2016-12-31T23:59:60",
        values=["2016-12-31 23:59:59", "2017-01-01 00:00:00"],
    ),
    no_clock("a zone by name", "2024-03-01T12:00:00 Europe/Oslo", says=r"row 1 .*Europe/Oslo"),
    clock("seconds since 1970", "1709290800", "1709290801", values=[1709290800, 1709290801]),
    kept(
        "times as far as the other rows are not, set aside",
        csv("x,n\n" + "".join(f"2024-03-{1 + day % 28:02},{day}\n" for day in range(400)) + "1970-01-01,1\n0001-01-01,2\n"),
        402,
        aside=2,
        says="far before the other rows",
        options={"time_column": "x"},
        judge={"time_column": "x"},
    ),
)
