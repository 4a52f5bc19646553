"""The wire of PostgreSQL as bytes: however they arrive, nothing is lost, changed or let past."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrator_drivers import Mode
from integrator_magics.broker.calls import Calls
from integrator_magics.broker.pg_messages import Cutter, ProtocolError, error, error_fields, message
from integrator_magics.broker.pg_startup import StartRefused
from integrator_magics.broker.pg_startup import settings as start_settings
from integrator_magics.broker.pg_traffic import Traffic

kinds = st.sampled_from("QPBEDCSHdcfXZTI")
messages = st.lists(st.tuples(kinds, st.binary(max_size=40)), max_size=12)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    parts, at = [], 0
    for size in sizes:
        parts.append(data[at : at + size])
        at += size
    return [*parts, data[at:]]


@settings(max_examples=300, deadline=None)
@given(messages, st.lists(st.integers(1, 20), max_size=40))
def test_any_cut_of_a_stream_gives_the_same_messages(sent: list[tuple[str, bytes]], sizes: list[int]) -> None:
    data = b"".join(message(kind, body) for kind, body in sent)
    cutter = Cutter(b"QPZ")
    found = [piece for part in cut(data, sizes) for piece in cutter.feed(part)]
    assert b"".join(part for _, part in found) == data
    assert [part for kind, part in found if kind] == [message(k, b) for k, b in sent if k in "QPZ"]


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(1, 20), max_size=20))
def test_W7_no_bytes_of_a_client_do_harm(data: bytes, sizes: list[int]) -> None:
    traffic = Traffic(Calls(), "postgresql", "PostgreSQL", Mode.DISCOVERY)
    out = b""
    try:
        for part in cut(data, sizes):
            out += b"".join(traffic.from_client(part))
    except ProtocolError:
        return
    seen = Cutter(b"QPF")
    for kind, part in seen.feed(out):
        assert kind != "F"
        if kind:
            assert b"integrator_refused_" in part or not part[5:].strip(b"\0 \t\r\n\f\v")


statements = st.sampled_from(["select 1", "delete from x", "drop table x", "select 2", "update x set a=1"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("QP"), statements), max_size=10), st.lists(st.integers(1, 30), max_size=30))
def test_W7_no_cut_lets_a_statement_past(sent: list[tuple[str, str]], sizes: list[int]) -> None:
    data = b""
    for kind, text in sent:
        data += message(
            kind, (b"" if kind == "Q" else b"name\0") + text.encode() + b"\0" + (b"" if kind == "Q" else b"\0\0")
        )
    traffic = Traffic(Calls(), "postgresql", "PostgreSQL", Mode.PREVIEW)
    out = b"".join(piece for part in cut(data, sizes) for piece in traffic.from_client(part))
    assert not any(word in out for word in (b"delete", b"drop", b"update"))
    assert out.count(b"select ") == sum(text.startswith("select") for _, text in sent)


@pytest.mark.parametrize(
    "data",
    [
        b"Q\0\0\0\3",  # a length below its own size
        b"Q\x7f\xff\xff\xff",  # 2 GB to be seen whole
        b"z\0\0\0\4",  # a type no client sends
        b"p\0\0\0\4",  # a password again
        message("Q", b"select 1"),  # no end of the text
        message("Q", b"select '\xff'\0"),  # no UTF-8
        message("P", b"name\0select 1"),
    ],
)
def test_W7_what_no_client_sends_ends_the_conversation(data: bytes) -> None:
    traffic = Traffic(Calls(), "postgresql", "PostgreSQL", Mode.APPLY)
    with pytest.raises(ProtocolError):
        list(traffic.from_client(data))


def test_W7_a_call_by_number_is_refused() -> None:
    traffic = Traffic(Calls(), "postgresql", "PostgreSQL", Mode.APPLY)
    out = b"".join(traffic.from_client(message("F", struct.pack(">IHH", 952, 0, 0))))
    assert out == message("Q", b"SELECT integrator_refused_0\0")
    answer = b"".join(traffic.from_server(error("ERROR", "42703", 'column "integrator_refused_0" does not exist')))
    assert (
        error_fields(answer)["M"] == "This statement calls a function by its number, so it was not sent to PostgreSQL"
    )


def test_text_after_the_end_of_a_query_does_not_reach_the_server_unseen() -> None:
    traffic = Traffic(Calls(), "postgresql", "PostgreSQL", Mode.DISCOVERY)
    with pytest.raises(ProtocolError):
        list(traffic.from_client(message("Q", b"select 1\0; delete from x\0")))


def test_values_do_not_reach_the_audit_log() -> None:
    calls = Calls()
    traffic = Traffic(calls, "postgresql", "PostgreSQL", Mode.DISCOVERY)
    text = "select * from leads where email = 'a@b.example' and n = 42 and s = $x$ secret $x$ and t = E'it\\'s'"
    list(traffic.from_client(message("Q", text.encode() + b"\0")))
    list(traffic.from_server(message("C", b"SELECT 7\0") + message("Z", b"I")))
    (call,) = calls.told()["calls"]
    assert call["template"] == "select * from leads where email = ? and n = ? and s = ? and t = ?"
    assert (call["method"], call["status"], call["rows"]) == ("SELECT", "ok", 7)


def test_rows_of_a_cursor_count_for_its_query() -> None:
    calls = Calls()
    traffic = Traffic(calls, "postgresql", "PostgreSQL", Mode.DISCOVERY)
    for text, tag in (
        ("BEGIN READ ONLY", "BEGIN"),
        ('DECLARE "c" CURSOR FOR SELECT id FROM leads', "DECLARE CURSOR"),
        ('FETCH FORWARD 100 FROM "c"', "FETCH 100"),
        ('FETCH FORWARD 100 FROM "c"', "FETCH 20"),
    ):
        list(traffic.from_client(message("Q", text.encode() + b"\0")))
        list(traffic.from_server(message("C", tag.encode() + b"\0") + message("Z", b"T")))
    (call,) = calls.told()["calls"]
    assert (call["template"], call["rows"], call["count"]) == ("SELECT id FROM leads", 120, 2)


@pytest.mark.parametrize(
    "parameters",
    [
        {"options": "-c search_path=evil"},
        {"options": "-c role=postgres"},
        {"options": "-c session_preload_libraries=x"},
        {"options": "-cstandard_conforming_strings=off"},
        {"options": "--client-encoding=SJIS"},
        {"options": "-c statement_timeout=0x10"},
        {"options": "-O"},
        {"replication": "database"},
        {"client_encoding": "SJIS"},
        {"database": "other"},
        {"_pq_.x": "1"},
    ],
)
def test_W7_settings_that_change_the_meaning_are_refused(parameters: dict[str, str]) -> None:
    with pytest.raises(StartRefused):
        start_settings(parameters, Mode.APPLY, "demo", "")


def test_W7_reading_modes_are_read_only_whatever_the_client_asks() -> None:
    asked = {"options": "-c default_transaction_read_only=off -c statement_timeout=9999s -c lock_timeout=3s"}
    found = start_settings(asked, Mode.PREVIEW, "demo", "")
    assert found["default_transaction_read_only"] == "on"
    assert found["statement_timeout"] == "300000"
    assert found["lock_timeout"] == "3s"
    assert start_settings(asked, Mode.APPLY, "demo", "7")["statement_timeout"] == "7000"
    assert start_settings(asked, Mode.APPLY, "demo", "")["default_transaction_read_only"] == "off"
