"""Statements of a migration as they are sent: split, guarded, and rendered for a cluster. Pure."""

import re
from dataclasses import dataclass

_STATEMENT_END = re.compile(r";[ \t]*(?:\n|\Z)")
_GUARD = re.compile(r"^-- if: (?P<query>.+)$", re.MULTILINE)
_COMMENT = re.compile(r"^--.*$\n?", re.MULTILINE)
# What a cluster has to be told of by `ON CLUSTER`, which stands after the name.
_DDL = re.compile(
    r"\A(?P<head>(?:CREATE TABLE IF NOT EXISTS|CREATE MATERIALIZED VIEW IF NOT EXISTS|CREATE DATABASE IF NOT EXISTS"
    r"|ALTER TABLE|DROP TABLE IF EXISTS|EXCHANGE TABLES \w+ AND) [`\w]+)"
)
_ENGINE = re.compile(r"^ENGINE = (?P<name>\w*MergeTree)(?:\((?P<arguments>[^)]*)\))?$", re.MULTILINE)
_REPLICA = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"


@dataclass(frozen=True)
class Statement:
    """One statement; with a guard it is run only if that query's first value is not 0, or there is none."""

    sql: str
    guard: str | None = None


def statements(text: str, cluster: str = "") -> list[Statement]:
    """Return a file's statements, which end with a semicolon at the end of a line, for a cluster if one is named.

    On a cluster tables are replicated within its shard, and whatever changes a table goes to every replica. A guard is
    a comment `-- if: SELECT …` before a statement.
    """
    made = []
    for part in _STATEMENT_END.split(text):
        sql = _COMMENT.sub("", part).strip()
        if sql:
            guard = _GUARD.search(part)
            made.append(Statement(on_cluster(sql, cluster) if cluster else sql, guard["query"] if guard else None))
    return made


def on_cluster(sql: str, cluster: str) -> str:
    """Return a statement as a cluster takes it; one that moves rows stays as it is, as its rows are replicated."""
    if not _DDL.match(sql):
        return sql
    sql = _DDL.sub(lambda found: f"{found['head']} ON CLUSTER `{cluster}`", sql)
    return _ENGINE.sub(_replicated, sql)


def _replicated(found: re.Match[str]) -> str:
    more = f", {found['arguments']}" if found["arguments"] else ""
    return f"ENGINE = Replicated{found['name']}({_REPLICA}{more})"
