"""Text in other encodings, in several at once, or in none."""

from tests.ratchet.sources.hostile.case import csv, kept, refused

TEXT = "id,city\n1,Tromsø\n2,Århus\n"
CITIES = {"city": ["Tromsø", "Århus"]}
MANY = b"".join(b"%d,Oslo\n" % number for number in range(20_000))

CASES = (
    kept("UTF-8 with a byte order mark", csv(b"\xef\xbb\xbf" + TEXT.encode()), 2, values={"id": [1, 2], **CITIES}),
    kept("UTF-16 as Excel saves it", csv(TEXT.replace(",", "\t").encode("utf-16")), 2, values=CITIES),
    kept("UTF-16, big end first", csv(b"\xfe\xff" + TEXT.encode("utf-16-be")), 2, values=CITIES),
    kept("UTF-16 declared, without a mark", csv(TEXT.encode("utf-16-le")), 2, values=CITIES, options={"encoding": "utf-16-le"}),
    refused("UTF-16 without a mark", csv(TEXT.encode("utf-16-le")), "NUL|UTF-16"),
    refused("UTF-16 cut in the middle of a character", csv(TEXT.encode("utf-16")[:-1]), "(?i)utf-16"),
    refused("UTF-16 with half a pair", csv(TEXT.encode("utf-16") + "3,".encode("utf-16-le") + b"\x3d\xd8\n\0"), "(?i)utf-16"),
    kept("UTF-32", csv(TEXT.encode("utf-32")), 2, values=CITIES),
    refused("latin-1 that nobody declared", csv(TEXT.encode("latin-1")), r"UTF-8.*encoding"),
    kept("latin-1 declared", csv(TEXT.encode("latin-1")), 2, values=CITIES, options={"encoding": "latin-1"}),
    kept("Windows' own declared", csv("id,price\n1,5 €\n".encode("cp1252")), 1, values={"price": ["5 €"]}, options={"encoding": "cp1252"}),
    refused("another encoding than declared", csv(TEXT.encode("latin-1")), "UTF-8", options={"encoding": "utf-8"}),
    refused("ASCII declared where it is not", csv(TEXT), "(?i)ascii", options={"encoding": "ascii"}),
    refused("an encoding that there is not", csv(TEXT), "klingon", options={"encoding": "klingon"}),
    refused("a codec that is no encoding of text", csv(TEXT), "rot13|zip|encoding", options={"encoding": "rot13"}),
    refused(
        "one latin-1 line among UTF-8, far down",
        csv(b"id,city\n" + MANY + "9,Tromsø\n".encode("latin-1") + MANY),
        r"line 20,?002.*UTF-8|UTF-8.*line 20,?002",
    ),
    refused("latin-1 in the header", csv("id,stà\n1,x\n".encode("latin-1")), "UTF-8"),
    refused("Shift-JIS that nobody declared", csv("id,city\n1,東京\n".encode("shift-jis")), "UTF-8"),
    refused("UTF-8 cut in the middle of a character", csv(TEXT.encode() + "3,ø".encode()[:-1]), "UTF-8"),
    refused("surrogates as UTF-8", csv(b"id,city\n1,\xed\xa0\xbd\xed\xb8\x80\n"), "UTF-8"),
    refused("an overlong slash", csv(b"id,city\n1,\xc0\xaf\n"), "UTF-8"),
    refused("NUL among the first bytes", csv(b"id,price\n1,\x00\x01\n"), "NUL"),
    refused("NUL far down", csv(b"id,city\n" + MANY + b"7,Os\x00lo\n" + MANY), "NUL"),
    refused("NUL padding at the end", csv(TEXT.encode() + b"\0" * 512), "NUL"),
    refused("bytes of every value", csv(bytes(range(256)) * 20), "NUL|binary"),
    refused("random bytes without NUL", csv(b"id,city\n" + bytes(range(1, 256)) * 20), "UTF-8|line"),
    kept("a byte order mark between two exports", csv("id,city\n1,Oslo\n\ufeff2,Bergen\n"), 2, values={"city": ["Oslo", "Bergen"]}),
    kept("emoji, joined and coloured", csv("id,mood\n1,👩🏽‍🚀\n2,🏴‍☠️\n"), 2, values={"mood": ["👩🏽‍🚀", "🏴‍☠️"]}),
    kept(
        "orders to a terminal, set aside",
        csv("id,note\n1,ok\n\x1b[31mred\x1b[0m,\x1b]0;owned\x07\n"),
        2,
        aside=1,
        says="is not of type",
        judge={"schema_text": "columns: {id: {type: integer}, note: {type: string}}"},
    ),
    refused("orders to a terminal in a line at fault", csv("id,note\n1,ok\n\x1b[31mred\x1b[0m\n"), "line 3"),
    refused("text from right to left at fault", csv("id,note\n1,ok\n\u202egnp.exe\n"), "line 3"),
    kept("fields that end in a no-break space", csv("id,price\n1,2\u00a0\n2,3\n"), 2),
)
