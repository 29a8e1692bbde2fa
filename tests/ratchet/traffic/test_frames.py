"""No damage of a journal costs more than the records that it hits."""

from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from ratchet.traffic.frames import HEADER, LARGEST, JournalReader, frame, read_journal
from tests.ratchet.traffic.examples import label, prediction

RECORDS = [
    prediction("first"),
    prediction("second", inputs={"text": "[[[ \0\0[ a list within a text", "list": [[["x"]]]}),
    label("third", "yes"),
    prediction("fourth", inputs=None, prediction=(), error="[timeout"),
    prediction("fifth"),
]
FRAMES = [frame(record) for record in RECORDS]
BORDERS = [sum(map(len, FRAMES[:count])) for count in range(len(FRAMES) + 1)]
JOURNAL = b"".join(FRAMES)


def hit_by(at: int) -> int:
    """The number of the record that the byte belongs to."""
    return max(number for number, border in enumerate(BORDERS[:-1]) if border <= at)


def test_a_torn_tail_costs_no_whole_record_before_it():
    for length in range(len(JOURNAL) + 1):
        reader = JournalReader(JOURNAL[:length])
        whole = sum(border <= length for border in BORDERS[1:])
        assert list(reader) == RECORDS[:whole]
        assert (reader.damaged, reader.torn) == (0, length - BORDERS[whole])


def test_a_flipped_bit_anywhere_costs_the_record_that_it_is_in_and_is_counted():
    for at in range(len(JOURNAL)):
        for bit in (0, 3, 7):
            damaged = bytearray(JOURNAL)
            damaged[at] ^= 1 << bit
            reader = JournalReader(bytes(damaged))
            hit = hit_by(at)
            assert list(reader) == RECORDS[:hit] + RECORDS[hit + 1 :]
            assert (reader.damaged, bool(reader.torn)) == ((0, True) if hit == len(RECORDS) - 1 else (1, False))


@given(st.binary(min_size=1, max_size=200), st.integers(0, len(RECORDS)))
def test_rubbish_between_two_records_costs_neither(rubbish, place):
    reader = JournalReader(b"".join(FRAMES[:place]) + rubbish + b"".join(FRAMES[place:]))
    assert list(reader) == RECORDS
    assert (reader.damaged, reader.torn) == ((1, 0) if place < len(RECORDS) else (0, len(rubbish)))


def test_zeros_where_the_power_was_lost_are_no_records():
    reader = JournalReader(JOURNAL + bytes(4096))
    assert list(reader) == RECORDS
    assert (reader.damaged, reader.torn) == (0, 4096)


def test_a_client_cannot_smuggle_in_a_record():
    smuggled = frame(label("smuggled")).decode("latin-1")
    carrier = frame(prediction("carrier", inputs={"text": smuggled, smuggled: 1}, error=smuggled))
    for at in range(0, len(carrier)):
        damaged = bytearray(carrier)
        damaged[at] ^= 0x20
        assert not [record for record in JournalReader(bytes(damaged)) if record.request_id == "smuggled"]


def test_a_whole_frame_that_holds_no_record_is_counted_and_passed_by():
    reader = JournalReader(FRAMES[0] + HEADER.pack(2, crc32(b"[]")) + b"[]" + FRAMES[1])
    assert [record.request_id for record in reader] == ["first", "second"]
    assert reader.damaged == 1


def test_a_journal_is_read_from_its_file(tmp_path):
    path = tmp_path / "x.sealed"
    path.write_bytes(JOURNAL)
    assert list(read_journal(path)) == RECORDS
    assert LARGEST < 2**24, "the length's highest byte is zero: what makes stepping over damage safe"
