"""The address of a model server, from any form in which people write it."""

from __future__ import annotations

import pytest

from selfplay_core.errors import SettingsError
from selfplay_core.llm.address import normalise_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("localhost", "http://localhost:11434"),
        (" 127.0.0.1:11434 ", "http://127.0.0.1:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("box:8080", "http://box:8080"),
        ("Ollama_1", "http://ollama_1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "http://[::1]:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("http://box", "http://box:80"),
        ("HTTPS://box/", "https://box:443"),
        ("https://box:8443/ollama/", "https://box:8443/ollama"),
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
    ],
)
def test_every_form_of_an_address_is_understood(text: str, url: str) -> None:
    """What OLLAMA_HOST takes is taken, and what a server listens at becomes what a client connects to."""
    assert normalise_url(text) == url
    assert normalise_url(url) == url


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "/", "http://", "http:///x", "ftp://box", "a\x1b[2J", "a\nb", "a..b", "a b", "-", "1:2:3",
        "box:", "box:0", "box:65536", "box:x", "box:\u0661\u0662", "box?x=1", "box/a?b", "box#x", "[::1",
        "http://[zz]:1",
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_value(text: str) -> None:
    """An address that cannot be meant names itself, cleaned, and what is allowed."""
    with pytest.raises(SettingsError, match=r"127\.0\.0\.1:11434") as caught:
        normalise_url(text)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["http://me:hunter2@box", "me:hunter2@box:1", "http://me:hun/ter2@box"])
def test_a_password_in_an_address_is_not_repeated(text: str) -> None:
    """Secrets stay out of messages, even those of settings that are wrong."""
    with pytest.raises(SettingsError) as caught:
        normalise_url(text)
    assert "ter2" not in str(caught.value)
