"""Refused input is kept once, with its reason, whatever bytes it was made of."""

from __future__ import annotations

from fermiloop.platform.store import quarantine
from fermiloop.schemas.quarantine import EXCERPT, Quarantine


def test_the_same_line_is_one_entry(database):
    first = quarantine.put("a.jsonl", 3, "no volume", "{...}")
    assert quarantine.put("a.jsonl", 3, "no volume at all", "{...}") == first
    others = {quarantine.put("a.jsonl", 4, "no volume", "{...}"), quarantine.put("b.jsonl", 3, "no volume", "{...}")}
    assert len({first, *others}) == Quarantine.objects.count() == 3
    assert Quarantine.objects.get(id=first).reason == "no volume at all"


def test_newest_first_by_source(database):
    ids = [quarantine.put("a.jsonl", line, "bad", str(line)) for line in range(3)]
    quarantine.put("b.cif", None, "a picture", "PNG")
    assert [entry.id for entry in quarantine.find("a.jsonl")] == ids[::-1]
    assert len(quarantine.find()) == 4
    assert len(quarantine.find(limit=2)) == 2
    assert quarantine.find("none") == []


def test_long_and_undecodable_excerpts(database):
    quarantine.put("a.jsonl", 1, "too long", "x" * 10_000)
    quarantine.put("b\udcff.cif", 1, "no text: \udcff", b"\x89PNG\xff\x00".decode("utf-8", "surrogateescape"))
    short, long = sorted((entry.excerpt for entry in quarantine.find()), key=len)
    assert len(long) == EXCERPT
    assert short == "?PNG?\x00"
