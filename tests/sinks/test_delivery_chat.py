"""Chat over a real HTTP service: what arrives, what is tried again, and that its URL stays secret."""

import io
import logging

import pytest

from sinks.delivery.chat import send_chat
from sinks.delivery.render import render
from sinks.delivery.send_errors import PermanentSendError, TransientSendError
from tests.sinks.delivery_samples import a_delivery, a_directory, settings_with
from tests.sinks.delivery_servers import chat_service
from tests.support.ports import free_port

RENDERED = render(a_delivery(), a_directory())


def test_the_message_that_arrives_is_the_message_that_was_written() -> None:
    with chat_service() as service:
        send_chat(settings_with(chat_targets={"team": service.url}), "team", RENDERED)
        (message,) = service.messages
    assert message["title"] == RENDERED.subject
    assert message["message"] == RENDERED.chat


def test_an_unknown_target_is_refused_for_good() -> None:
    with pytest.raises(PermanentSendError, match="'team'"):
        send_chat(settings_with(), "team", RENDERED)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_does_not_take_it_may_take_it_later(status: int) -> None:
    with chat_service() as service:
        service.statuses.append(status)
        settings = settings_with(chat_targets={"team": service.url})
        with pytest.raises(TransientSendError):
            send_chat(settings, "team", RENDERED)
        send_chat(settings, "team", RENDERED)
        assert len(service.messages) == 1


@pytest.mark.parametrize("url", ["json://127.0.0.1:{port}/s3cret-token/", "nonsense://s3cret-token", "s3cret-token"])
def test_the_targets_url_is_in_no_log_and_no_error(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    logged = io.StringIO()
    handler = logging.StreamHandler(logged)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with pytest.raises((PermanentSendError, TransientSendError)) as refusal:
            send_chat(settings_with(chat_targets={"team": url.format(port=free_port())}), "team", RENDERED)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    printed = capfd.readouterr()
    assert "s3cret" not in logged.getvalue() + printed.out + printed.err + str(refusal.value)
