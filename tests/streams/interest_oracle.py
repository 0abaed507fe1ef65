"""What an account's summary must be, worked out the slow way: every sum anew at every moment, no code of the streams.

A read is a plain dictionary, as `oracle.reads_by_account` makes it.
"""

from itertools import pairwise
from math import log2
from typing import Any

from schemas.directory import Directory
from schemas.playbook import Playbook

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LEVELS = ["cold", "warm", "hot"]
STAGES = ["problem", "solution", "comparison", "price", "security", "contract", "onboarding", "renewal"]
LIFECYCLE_STAGE = {
    "visitor": "problem", "lead": "problem", "lost": "problem", "qualified_lead": "solution",
    "opportunity": "comparison", "won": "contract", "delivery": "onboarding", "use": "onboarding",
    "renewal": "renewal", "referral": "renewal",
}  # fmt: skip
CUSTOMERS = {"won", "delivery", "use", "renewal", "referral"}


class Oracle:
    """One account's reads, and everything that a summary says of them."""

    def __init__(self, account_id: str, reads: list[dict[str, Any]], directory: Directory, playbook: Playbook) -> None:
        self.account_id, self.directory, self.playbook = account_id, directory, playbook
        self.newest = max((read["last_ms"] for read in reads), default=0)
        active = [dict(read) for read in reads if read["active_ms"] > 0]
        self.reads = sorted(active, key=lambda read: (read["last_ms"], read["page_view_id"]))
        for read in self.reads:
            content = directory.contents.get(read["url"])
            read["content"] = content
            read["stage"] = str(content.stage) if content and content.stage else None
            read["topics"] = list(content.topics) if content else []
            read["person"] = read["contact_id"] or "?" + read["visitor_id"]
        for position, read in enumerate(self.reads):
            before = [other for other in self.reads[:position] if other["person"] == read["person"]]
            pause = playbook.interest.return_after_h * HOUR
            read["back"] = bool(before) and read["started_ms"] - before[-1]["last_ms"] >= pause
            same = [other for other in before if other["url"] == read["url"]]
            read["again"] = bool(same) and read["started_ms"] - same[-1]["last_ms"] >= pause
            read["credit"] = self.credit(read)

    def credit(self, read: dict[str, Any]) -> int:
        """Say what a read is worth when it is read: 2 expected times at most, half of it for depth, more if again."""
        rules = self.playbook.interest
        expected = (read["content"].reading_time_s if read["content"] else 180) * 1000
        worth = float(min(read["active_ms"], expected * rules.max_credit))
        depth: float = 1 - rules.depth_share * (1 - read["depth_pct"] / 100)
        bonus: float = 1 + rules.return_bonus if read["again"] else 1
        return round(worth * depth * bonus)

    def left(self, since: int, now: int) -> float:
        """Say what is left of 1 after a time."""
        return float(0.5 ** ((now - since) / DAY / self.playbook.temperature.half_life_days))

    def reasons(self, count: int, now: int) -> list[dict[str, Any]]:
        """Return what the first `count` reads make at a moment, unrounded."""
        rules, seen = self.playbook.temperature, self.reads[:count]
        made = []
        if seen:
            weight = sum(read["credit"] * self.left(read["last_ms"], now) for read in seen)
            made.append(("reading", rules.points_per_read_minute * weight / MINUTE, "", seen))
        high = [read for read in seen if read["stage"] in set(map(str, self.playbook.triggers.high_intent_stages))]
        high = [read for read in high if read["active_ms"] >= 1000 * self.playbook.triggers.high_intent_active_s]
        for url in {read["url"] for read in high}:
            hits = [read for read in high if read["url"] == url]
            points = rules.points_high_intent_read * self.left(hits[-1]["last_ms"], now)
            made.append(("high_intent", points, hits[0]["content"].title, hits))
        people = {read["person"] for read in seen}
        last = {}
        for person in people:
            theirs = [read for read in seen if read["person"] == person]
            last[person] = theirs[-1]
            if any(read["back"] for read in theirs):
                points = rules.points_returning_reader * self.left(theirs[-1]["last_ms"], now)
                made.append(("returned", points, "" if person[0] == "?" else person, theirs))
        if len(people) > 1:
            ends = [read for read in seen if read is last[read["person"]]]
            points = rules.points_second_reader * self.left(ends[-2]["last_ms"], now)
            made.append(("several_readers", points, str(len(people)), ends))
        return [
            {
                "kind": kind,
                "points": points,
                "detail": detail,
                "page_view_ids": [read["page_view_id"] for read in rests_on][-50:],
            }
            for kind, points, detail, rests_on in made
        ]

    def points(self, count: int, now: int) -> float:
        return float(sum(reason["points"] for reason in self.reasons(count, now)))

    def temperature(self, now: int) -> tuple[int, dict[str, Any] | None, int | None]:
        """Return the level, how it last rose, and when it falls: by adding up everything at every read."""
        rules = self.playbook.temperature
        limits = [0, rules.warm_at, rules.hot_at]
        stays = [limit * rules.stay_share for limit in limits]
        level, rise = 0, None
        for position, read in enumerate(self.reads):
            before = self.points(position, read["last_ms"])
            while level > 0 and before < stays[level] - 1e-9:
                level -= 1
            after, old = self.points(position + 1, read["last_ms"]), level
            while level < 2 and after > limits[level + 1] - 1e-9:
                level += 1
            if level > old:
                rise = {"before": LEVELS[old], "after": LEVELS[level], "at_ms": read["last_ms"],
                        "page_view_id": read["page_view_id"]}  # fmt: skip
        points = self.points(len(self.reads), now)
        while level > 0 and points < stays[level] - 1e-9:
            level -= 1
        if level == 0:
            return level, rise, None
        wait = max(0.0, rules.half_life_days * log2(points / stays[level])) * DAY
        return level, rise, (int(now + wait) // MINUTE + 1) * MINUTE

    def weight(self, reads: list[dict[str, Any]], now: int) -> int:
        return sum(round(read["credit"] * self.left(read["last_ms"], now)) for read in reads)

    def summary(self, now: int | None = None) -> dict[str, Any]:
        """Return the whole summary as JSON values, as of the newest read or a later moment."""
        now = max(self.newest, now or 0)
        level, rise, cools_ms = self.temperature(now)
        # The points of reading are those of whole milliseconds, so that no order of adding shows.
        per_minute = self.playbook.temperature.points_per_read_minute
        reasons = self.reasons(len(self.reads), now)
        for reason in reasons:
            if reason["kind"] == "reading":
                reason["points"] = per_minute * self.weight(self.reads, now) / MINUTE
            reason["points"] = round(reason["points"], 3)
        reasons.sort(key=lambda reason: (-reason["points"], reason["kind"], reason["detail"], reason["page_view_ids"]))
        weeks = self.weeks(now)
        summary = {
            "v": 1,
            "account_id": self.account_id,
            "as_of_ms": now,
            "temperature": LEVELS[level],
            "score": round(sum(reason["points"] for reason in reasons), 3),
            "reasons": reasons[:20],
            "topics": self.topics(now),
            "contents": self.contents(),
            "readers": self.readers(),
            "active_ms_last_7_days": weeks[0],
            "active_ms_prior_7_days": weeks[1] if len(weeks) > 1 else 0,
            "unknown_visitors": len({read["person"] for read in self.reads if read["person"][0] == "?"}),
            "committee": self.committee(now),
            "trend": self.trend(weeks) if self.reads else None,
            "silence": self.silence(),
            "rise": rise,
            "buying_stage": self.buying_stage(now),
            "stages": [{"stage": stage, "weight": round(weight / MINUTE, 3)} for stage, weight in self.stages(now)],
            "cools_ms": cools_ms,
        }
        return {key: value for key, value in summary.items() if value is not None}

    def topics(self, now: int) -> list[dict[str, Any]]:
        names = {topic for read in self.reads for topic in read["topics"]}
        weights = {name: self.weight([read for read in self.reads if name in read["topics"]], now) for name in names}
        ordered = sorted(weights, key=lambda name: (-weights[name], name))
        return [{"topic": name, "weight": round(weights[name] / MINUTE, 3)} for name in ordered]

    def contents(self) -> list[dict[str, Any]]:
        found = []
        for url in {read["url"] for read in self.reads}:
            reads = [read for read in self.reads if read["url"] == url]
            people = {read["person"] for read in reads}
            content = self.directory.contents.get(url)
            found.append(
                {
                    "url": url,
                    "title": content.title if content else max(read["title"] for read in reads),
                    "active_ms": sum(read["active_ms"] for read in reads),
                    "depth_pct": max(read["depth_pct"] for read in reads),
                    "reads": len(reads),
                    "readers": sorted(person for person in people if person[0] != "?"),
                    "last_ms": max(read["last_ms"] for read in reads),
                    "returns": len([read for read in reads if read["again"]]),
                    "unknown_visitors": len([person for person in people if person[0] == "?"]),
                }
            )
        return sorted(found, key=lambda content: (-content["active_ms"], content["url"]))

    def readers(self) -> list[dict[str, Any]]:
        found = []
        for person in {read["person"] for read in self.reads if read["contact_id"]}:
            reads = [read for read in self.reads if read["person"] == person]
            contact = self.directory.contacts.get(person)
            reader = {
                "contact_id": person,
                "active_ms": sum(read["active_ms"] for read in reads),
                "reads": len(reads),
                "last_ms": max(read["last_ms"] for read in reads),
                "confidence": max(read.get("confidence", 100) for read in reads),
                "role": str(contact.role) if contact and contact.role else None,
                "function": str(contact.function) if contact and contact.function else None,
            }
            found.append({key: value for key, value in reader.items() if value is not None})
        return sorted(found, key=lambda reader: (-reader["active_ms"], reader["contact_id"]))

    def function_of(self, contact_id: str) -> str | None:
        contact = self.directory.contacts.get(contact_id)
        if contact is None or contact.function is None:
            return None
        return str(self.playbook.committee.counts_for.get(contact.function, contact.function))

    def committee(self, now: int) -> dict[str, Any]:
        staff = sorted(c.contact_id for c in self.directory.contacts.values() if c.account_id == self.account_id)
        wanted = [str(function) for function in self.playbook.committee.functions]
        present = {self.function_of(person) for person in [*staff, *(read["person"] for read in self.reads)]}
        found, missing = [], []
        for function in wanted + sorted(str(one) for one in present - {None, *wanted}):
            reads = [read for read in self.reads if self.function_of(read["person"]) == function]
            topics = sorted({topic for read in reads for topic in read["topics"]})
            about = {topic: self.weight([read for read in reads if topic in read["topics"]], now) for topic in topics}
            found.append(
                {
                    "function": function,
                    "contacts": len([person for person in staff if self.function_of(person) == function]),
                    "readers": len({read["person"] for read in reads}),
                    "active_ms": sum(read["active_ms"] for read in reads),
                    "topics": sorted(topics, key=lambda topic: (-about[topic], topic))[:5],
                    "stages": sorted({read["stage"] for read in reads if read["stage"]}, key=STAGES.index),
                }
            )
            unread = {person for person in staff if self.function_of(person) == function}
            found[-1]["unread_contacts"] = sorted(unread - {read["person"] for read in reads})
            missing += [function] if function in wanted and not reads else []
        have_read = {read["person"] for read in self.reads}
        silent = [person for person in staff if person not in have_read]
        return {"functions": found, "missing": missing, "unread_contacts": silent[:50]}

    def weeks(self, now: int) -> list[int]:
        if not self.reads:
            return [0]
        count = (now - self.reads[0]["last_ms"]) // (7 * DAY) + 1
        ages = [(read, now - read["last_ms"]) for read in self.reads]
        return [
            sum(read["active_ms"] for read, age in ages if week * 7 * DAY <= age < (week + 1) * 7 * DAY)
            for week in range(count)
        ]

    def trend(self, weeks: list[int]) -> dict[str, Any]:
        past = weeks[1:]
        usual = int(sum(past) / len(past)) if past else 0
        factor = self.playbook.interest.trend_factor
        word = "rising" if weeks[0] > usual * factor else "falling" if weeks[0] * factor < usual else "steady"
        return {"word": word if past else "new", "week_ms": weeks[0], "usual_week_ms": usual, "past_weeks": len(past)}

    def silence(self) -> dict[str, Any] | None:
        quiet = [(b["started_ms"] - a["last_ms"], b) for a, b in pairwise(self.reads)]
        long = [(ms, read) for ms, read in quiet if ms >= self.playbook.interest.silence_days * DAY]
        if not long:
            return None
        ms, read = long[-1]
        return {"days": ms // DAY, "ended_ms": read["started_ms"], "page_view_id": read["page_view_id"]}

    def stages(self, now: int) -> list[tuple[str, int]]:
        return [
            (stage, self.weight([read for read in self.reads if read["stage"] == stage], now))
            for stage in STAGES
            if any(read["stage"] == stage for read in self.reads)
        ]

    def buying_stage(self, now: int) -> str | None:
        account = self.directory.accounts.get(self.account_id)
        weights = dict(self.stages(now))
        lifecycle = str(account.lifecycle) if account else None
        if lifecycle:
            own = LIFECYCLE_STAGE[lifecycle]
            weights[own] = weights.get(own, 0) + round(self.playbook.interest.lifecycle_minutes * MINUTE)
        if lifecycle not in CUSTOMERS:
            weights.pop("onboarding", None)
            weights.pop("renewal", None)
        share = self.playbook.interest.stage_share
        reached = [stage for stage, weight in weights.items() if weight and weight >= share * sum(weights.values())]
        return max(reached, key=STAGES.index, default=None)
