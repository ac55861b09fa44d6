"""Addresses of databases: what is taken, what is refused, and that no message shows a password."""

from __future__ import annotations

import logging
import re
import traceback
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pymongo.uri_parser import parse_uri

from fermiloop.platform.cli.failures import explain, one_sentence
from fermiloop.platform.errors import DatabaseError
from fermiloop.platform.settings import settings
from fermiloop.platform.store import address, connection


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("mongodb://h:1", "mongodb://h:1/"),
        ("mongodb://h:1/elsewhere", "mongodb://h:1/"),
        ("mongodb://h?tls=true", "mongodb://h/?tls=true"),
        ("mongodb://u:p@h/", "mongodb://u:p@h/"),
        ("mongodb://u:p@h/users", "mongodb://u:p@h/?authSource=users"),
        ("mongodb://u:p@h/users?authsource=admin", "mongodb://u:p@h/?authsource=admin"),
        ("mongodb://u:p@h/users?authMechanism=MONGODB-X509", "mongodb://u:p@h/?authMechanism=MONGODB-X509"),
        ("mongodb://u:p@a:1,b:2,[::1]:3/?replicaSet=rs&tls=true", "mongodb://u:p@a:1,b:2,[::1]:3/?replicaSet=rs&tls=true"),
        ("mongodb://h/?appName=me@here", "mongodb://h/?appName=me@here"),
        ("mongodb://%2Ftmp%2Fmongodb-27017.sock", "mongodb://%2Ftmp%2Fmongodb-27017.sock/"),
    ],
)  # fmt: skip
def test_what_is_taken(given: str, used: str) -> None:
    assert address.checked(given) == used
    assert parse_uri(used)


@pytest.mark.parametrize("tail", ["", "/", "/users", "/users?tls=true", "/?retryWrites=true&w=majority"])
def test_the_dns_says_where_the_users_of_an_srv_address_are(tail: str) -> None:
    given = f"mongodb+srv://u:p@cluster0.example.mongodb.net{tail}"
    assert address.checked(given) == given
    assert "authsource" not in address.checked(given).lower()


@pytest.mark.parametrize("character", "@:/?#[]%")
@pytest.mark.parametrize("scheme", address.SCHEMES)
def test_special_characters_are_taken_when_encoded_and_refused_as_they_are(scheme: str, character: str) -> None:
    for plain in (f"s3{character}cret", f"s3cret{character}", f"{character}s3cret", f"s3{character}cr/et"):
        encoded = f"{scheme}://user:{quote(plain, safe='')}@h/"
        assert address.checked(encoded) == encoded
        if scheme == "mongodb":
            assert parse_uri(encoded)["password"] == plain
        with pytest.raises(DatabaseError, match="%40 %3A") as refusal:
            address.checked(f"{scheme}://user:{plain}@h/")
        assert "s3" not in str(refusal.value)
        with pytest.raises(DatabaseError):
            address.checked(f"{scheme}://us{character}er:s3cret@h/")


@pytest.mark.parametrize(
    "uri",
    ["nonsense", "http://h:1", "mongodb://", "mongodb+srv://", "mongodb://h:port", "mongodb://:s3cret@h", "mongodb://u:s3cret@",
     "mongodb+srv://u:s3cret@a,b/", "mongodb+srv://u:s3cret@h:27017/", "mongodb://u:s3 cret@h", "mongodb://u:s3cret@h:0x1/",
     "mongodb://u:s3cret@h/?tls=perhaps", "mongodb://u:s3cret@h/a b"],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_one_sentence(uri: str) -> None:
    with pytest.raises(DatabaseError, match="FERMILOOP_MONGODB_URI is no MongoDB URI") as refusal:
        address.checked(uri)
    assert "s3" not in str(refusal.value)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://u:p@h:1/db?x=y", "mongodb://u:***@h:1/db?x=y"),
        ("mongodb://u@h/", "mongodb://u@h/"),
        ("mongodb://h/", "mongodb://h/"),
        ("mongodb://u:p@ss:w/o?r#d@h/", "mongodb://u:***@h/"),
        ("mongodb://u:p@h/?tlsCertificateKeyFilePassword=s3&tls=true", "mongodb://u:***@h/?tlsCertificateKeyFilePassword=***&tls=true"),
        ("mongodb://u:p@h/?authMechanismProperties=AWS_SESSION_TOKEN:s3", "mongodb://u:***@h/?authMechanismProperties=***"),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(uri: str, shown: str) -> None:
    assert address.redact(uri) == shown


PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["Zs", "Cc"]), min_size=5)
NAMES = st.text("abcxyz019.-_", min_size=1, max_size=8)
HOSTS = st.lists(st.sampled_from(["127.0.0.1:1", "[::1]:1", "localhost:1"]), min_size=1, max_size=3).map(",".join)


@effort(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    user=NAMES, password=PASSWORDS, hosts=HOSTS, scheme=st.sampled_from(address.SCHEMES),
    quoting=st.sampled_from([lambda text: text, lambda text: quote(text, safe=""), quote_plus]),
    tail=st.sampled_from(["", "/", "/users", "/?replicaSet=rs", "/?tls=true", "/?nonsense=1", "/?tlsCAFile=/nowhere"]),
)  # fmt: skip
def test_no_message_shows_the_password(
    user: str, password: str, hosts: str, scheme: str, quoting: object, tail: str, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    secret = f"{password}S3cr3t"
    uri = f"{scheme}://{user}:{quoting(secret)}@{hosts}{tail}"
    told = [address.redact(uri), one_sentence(f"It went wrong at {uri} today")]
    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.DEBUG):
        patch.setattr(connection, "SELECTION_MS", 1)
        patch.setenv("FERMILOOP_MONGODB_URI", uri)
        settings.cache_clear()
        told += [repr(settings()), str(settings())]
        with pytest.raises(DatabaseError) as refusal:
            connection.connect()
    settings.cache_clear()
    told += [*explain(refusal.value)[:1], "".join(traceback.format_exception(refusal.value)), caplog.text]
    assert not [text for text in told if re.search("S3cr3t", text)]
    assert len(str(refusal.value).splitlines()) == 1
