"""Which channel a delivery is for, which stand by, and when a digest leaves. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.delivery import ChannelKind
from schemas.directory import Channel, Rep
from sinks.delivery.send_errors import PermanentSendError
from sinks.delivery.spreading import leaves_ms
from sinks.delivery.ways import ways_of
from tests.sinks.delivery_samples import MET_MS, a_brief, a_delivery, settings_with

CHAT, MAIL = ChannelKind.chat, ChannelKind.email


def rep(*channels: str) -> Rep:
    """Return a rep with channels such as `mail`, `own` or `also team`."""
    made = (
        Channel(
            kind=MAIL if name.endswith("mail") else CHAT,
            target="jo@example.com" if name.endswith("mail") else name.removeprefix("also "),
            also=name.startswith("also "),
        )
        for name in channels
    )
    return Rep(rep_id="rep-1", name="Jo", channels=tuple(made))


@pytest.mark.parametrize(
    ("channels", "kind", "copy_number", "ways"),
    [
        (("mail",), MAIL, 0, ["email"]),
        (("own", "mail"), CHAT, 0, ["own", "email"]),
        (("own", "team", "mail"), CHAT, 0, ["own", "team", "email"]),
        (("own", "also mail", "team"), CHAT, 0, ["own", "team"]),
        (("own", "also mail", "team"), MAIL, 1, ["email"]),
        (("own", "also team", "also mail"), CHAT, 1, ["team"]),
        (("mail", "also team"), CHAT, 0, ["team"]),
        (("mail", "own"), CHAT, 1, ["own", "email"]),
    ],
)
def test_the_first_channel_is_tried_first_and_those_not_also_told_stand_by(
    channels: tuple[str, ...], kind: ChannelKind, copy_number: int, ways: list[str]
) -> None:
    delivery = a_delivery(channel=kind, copy_number=copy_number)
    assert [way.name for way in ways_of(delivery, rep(*channels), settings_with())] == ways


def test_who_has_ended_digests_by_mail_gets_them_by_chat_and_single_briefs_by_mail_still() -> None:
    digest = a_delivery(channel=MAIL, briefs=(a_brief(1), a_brief(2)))
    settings = settings_with()
    found = ways_of(digest, rep("mail", "own"), settings, takes_mail_digests=False)
    assert [way.name for way in found] == ["own"]
    single = ways_of(a_delivery(channel=MAIL), rep("mail"), settings, takes_mail_digests=False)
    assert [way.name for way in single] == ["email"]
    with pytest.raises(PermanentSendError, match="ended digests"):
        ways_of(digest, rep("mail"), settings, takes_mail_digests=False)


@given(
    rep_id=st.text(min_size=1, max_size=20),
    released=st.integers(MET_MS, MET_MS + 4_000_000),
    spread=st.sampled_from([60, 300, 3600]),
)
def test_a_digest_leaves_within_the_spread_always_at_its_own_moment_and_off_feishus_busy_minutes(
    rep_id: str, released: int, spread: int
) -> None:
    plain = leaves_ms(released, rep_id, spread, avoids_half_hours=False)
    assert released <= plain <= released + spread * 1000
    assert plain == leaves_ms(released, rep_id, spread, avoids_half_hours=False)
    feishu = leaves_ms(released, rep_id, spread, avoids_half_hours=True)
    assert plain <= feishu <= plain + 300_000
    assert 119.9 <= feishu / 1000 % 1800 <= 1770.1


def test_a_hundred_reps_digests_do_not_leave_together_and_no_spread_means_at_once() -> None:
    moments = [leaves_ms(MET_MS, f"rep-{number}", 300, avoids_half_hours=False) for number in range(100)]
    by_minute = [sum(at // 60_000 == minute for at in moments) for minute in {at // 60_000 for at in moments}]
    assert len(by_minute) >= 5
    assert max(by_minute) < 40
    assert leaves_ms(MET_MS, "r", 0, avoids_half_hours=True) == MET_MS
