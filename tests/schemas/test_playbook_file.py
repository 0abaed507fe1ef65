"""A playbook that is wrong is refused, with the place of everything that is wrong."""

from pathlib import Path

import pytest

from schemas.errors import InputError
from schemas.playbook import load_playbook, read_playbook

GOOD = """company: Example
topics:
  sensors:
    name: {en: Sensors, de: Sensoren}
    stress:
      - {en: Fitted in an hour, de: In einer Stunde montiert}
"""


def faults(text: str) -> list[str]:
    playbook, found = read_playbook("p.yaml", text.encode())
    assert (playbook is None) == bool(found)
    return [str(fault) for fault in found]


def test_a_good_playbook_has_no_fault() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "    strss: []\n", "7:5: topics.sensors.strss: unknown key; did you mean 'stress'?"),
        (
            GOOD + "outbox: {cool: 1}\n",
            "7:10: outbox.cool: unknown key; there are cooldown_s, max_briefs_in_digest",
        ),
        (
            GOOD + "next_steps:\n  hot:\n    en: Close\n",
            "9:5: next_steps.hot: no translation into de; the other texts have it",
        ),
        (GOOD + "next_steps: {hot: {en: Close, de: ''}}\n", "7:35: next_steps.hot.de: the text is empty"),
        (GOOD + "languages: [de]\nnext_steps: {hot: {en: Close}}\n", "8:19: next_steps.hot: no translation into de;"),
        (GOOD + "company: Twice\n", "7:1: company: the key stands already in line 1"),
        (GOOD + "outbox:\n  cooldown_s: soon\n", "8:15: outbox.cooldown_s: Input should be a valid number"),
        (GOOD + "outbox: 7\n", "7:9: outbox: Input should be a valid dictionary or instance of OutboxRules; it is '7'"),
        (GOOD + "temperature:\n  hot_at: 1\n", "8:3: temperature: hot_at must not be below warm_at"),
        (GOOD + "next_steps: {tepid: x}\n", "7:14: next_steps.tepid: not allowed as a key: input should be 'cold'"),
        (GOOD + "    objections:\n      - says: Nay\n", "8:9: topics.sensors.objections.0: 'answer' is missing"),
        (
            GOOD + "    ask:\n      - 7\n",
            "8:9: topics.sensors.ask.0: Input should be a valid string; it is '7', which YAML takes for no",
        ),
        (
            GOOD + "next_steps: {hot: No}\n",
            "7:19: next_steps.hot: Input should be a valid string; it is 'No', which YAML",
        ),
        ("company: [\n", "2:1: not valid YAML"),
        ("company: a\n\tb: c\n", "2:1: not valid YAML"),
        ("company: a\n---\ncompany: b\n", "2:1: not valid YAML"),
        ("", "1:1: not valid YAML: the file is empty"),
        ("[1, 2]", "1:1: Input should be a valid dictionary"),
    ],
)
def test_a_fault_is_told_with_line_column_field_and_reason(text: str, said: str) -> None:
    (fault,) = faults(text)
    assert fault.startswith(f"p.yaml:{said}"), fault


def test_all_faults_are_told_in_the_order_of_the_file() -> None:
    found = faults(GOOD + "outbox: {cool: 1}\ncompany: Twice\nnext_steps: {tepid: x, hot: 2}\n")
    assert [fault.split(": ")[1] for fault in found] == ["outbox.cool", "company", "next_steps.tepid", "next_steps.hot"]


def test_a_text_of_its_own_language_only_is_in_no_need_of_others() -> None:
    assert faults(GOOD + "next_steps: {hot: Close}\n") == []


def test_a_file_that_grows_without_end_is_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    (fault,) = faults(bomb)
    assert "holds too much" in fault
    (fault,) = faults("a: &a [*a]\n")
    assert "nested too deeply" in fault


def test_bytes_that_are_no_text_are_a_fault() -> None:
    playbook, found = read_playbook("p.yaml", b"company: \xff\xfe\x00")
    assert playbook is None
    assert "not valid YAML" in str(found[0])


def test_loading_a_bad_file_says_every_line(tmp_path: Path) -> None:
    path = tmp_path / "playbook.yaml"
    path.write_text("company: [1]\ntopic: {}\n")
    with pytest.raises(InputError) as caught:
        load_playbook(path)
    assert str(caught.value).splitlines() == [
        f"{path}:1:10: company: Input should be a valid string",
        f"{path}:2:1: topic: unknown key; did you mean 'topics'?",
    ]
