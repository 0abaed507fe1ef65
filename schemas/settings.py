"""Settings: built once from the environment, passed down frozen, imported by nobody as a global."""

import hashlib
from datetime import time
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import InputError
from schemas.message import Id, Language, Model, Network, first_error
from schemas.time_zones import TimeZoneName
from schemas.urls import origin_of


class Site(Model):
    """A website that may report: its key is public, its origins are where the snippet runs."""

    origins: Annotated[tuple[str, ...], Field(min_length=1)]
    trust_identify: Annotated[
        bool, Field(description="Take the word of Segment and Snowplow trackers for who a visitor is")
    ] = False
    heartbeat_s: Annotated[
        int, Field(ge=1, le=300, description="The site's Snowplow tracker sends a page ping each so many seconds")
    ] = 10

    @field_validator("origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if origin_of(origin) != origin:
                raise ValueError(f"{origin!r} is not an origin such as https://www.example.com")
        return origins


class Settings(BaseSettings):
    """Everything an operator sets, by environment variables with the prefix READBRIEF_ (lists and maps as JSON)."""

    model_config = SettingsConfigDict(env_prefix="READBRIEF_", frozen=True, extra="ignore", env_ignore_empty=True)

    kafka_bootstrap: Annotated[str, Field(description="host:port[,host:port] of the Kafka brokers")] = "127.0.0.1:9092"
    kafka_partitions: Annotated[int, Field(ge=1, le=1000, description="Partitions of each keyed topic")] = 6
    kafka_replication: Annotated[int, Field(ge=1, le=7, description="Copies of each partition")] = 1
    kafka_session_timeout_s: Annotated[
        int, Field(ge=6, le=1800, description="After this long without a sign, a stream worker is replaced")
    ] = 30
    kafka_rebalance_timeout_s: Annotated[
        int, Field(ge=1, le=1800, description="How long a rebalance waits for stream workers to join")
    ] = 10
    kafka_fetch_wait_ms: Annotated[
        int, Field(ge=10, le=10_000, description="How long the broker may hold a stream worker's question for news")
    ] = 500
    clickhouse_host: Annotated[str, Field(description="Host of ClickHouse")] = "127.0.0.1"
    clickhouse_port: Annotated[int, Field(ge=1, le=65535, description="Port of ClickHouse's native protocol")] = 9000
    clickhouse_user: Annotated[str, Field(description="User of ClickHouse")] = "default"
    clickhouse_password: Annotated[SecretStr, Field(description="Password of that user")] = SecretStr("")
    clickhouse_database: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*$", description="Database; made if missing")] = (
        "readbrief"
    )
    clickhouse_cluster: Annotated[
        str, Field(pattern=r"^\w*$", description="Cluster on whose replicas every table is; one server if empty")
    ] = ""
    clickhouse_keep_days: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=36_500)]],
        Field(description="Days that a table keeps its rows, by the table's name; for good if it is not named"),
    ] = Field(default_factory=dict)
    clickhouse_metrics_host: Annotated[str, Field(description="Address Prometheus asks for the ClickHouse sink")] = (
        "127.0.0.1"
    )
    clickhouse_metrics_port: Annotated[
        int, Field(ge=0, le=65535, description="Port of the ClickHouse sink's /healthz and /metrics; none if 0")
    ] = 0
    collector_host: Annotated[str, Field(description="Address the collector listens on")] = "127.0.0.1"
    collector_port: Annotated[int, Field(ge=0, le=65535, description="Port the collector listens on")] = 8080
    collector_url: Annotated[
        str, Field(description="The collector's public address; links and tags are made with it")
    ] = "http://127.0.0.1:8080"
    collector_linger_ms: Annotated[int, Field(ge=0, le=1000, description="How long a bundle waits to fill")] = 20
    collector_workers: Annotated[int, Field(ge=1, le=64, description="Processes that serve the collector's port")] = 1
    collector_metrics_host: Annotated[str, Field(description="Address Prometheus asks")] = "127.0.0.1"
    collector_metrics_port: Annotated[
        int, Field(ge=0, le=65535, description="Port Prometheus asks, not for the public; none if 0")
    ] = 0
    collector_client_per_s: Annotated[
        float, Field(ge=0, description="Requests per second of one client address, tenfold at once; no limit if 0")
    ] = 100
    collector_visitor_per_s: Annotated[
        float, Field(ge=0, description="Reports per second of one visitor, tenfold at once; no limit if 0")
    ] = 10
    collector_trusted_proxies: Annotated[
        str, Field(description="Addresses or networks, by commas, whose X-Forwarded-For is believed")
    ] = "127.0.0.1"
    spool_dir: Annotated[
        Path | None, Field(description="Where events wait on disk while Kafka is away; without it they are refused")
    ] = None
    spool_max_mb: Annotated[int, Field(ge=8, description="Bound of that directory, in MiB")] = 1024
    sites: Annotated[
        dict[Id, Site], Field(description="Site keys with their origins; more per site: see protocol.md")
    ] = Field(default_factory=dict)
    secret: Annotated[SecretStr, Field(min_length=16, description="Signs email links; the same on every collector")]
    own_accounts: Annotated[
        tuple[Id, ...], Field(description="Accounts of the directory that are the own staff: no figure counts them")
    ] = ()
    link_max_age_days: Annotated[int, Field(ge=1, le=3650, description="An email link's life")] = 60
    landing_max_age_s: Annotated[int, Field(ge=5, le=3600, description="Life of the token a landing page gets")] = 600
    email_link_hosts: Annotated[
        tuple[str, ...],
        Field(description="Hosts beside the sites' that links of prepared mails may lead to; JSON list"),
    ] = ()
    email_data_centers: Annotated[
        tuple[Network, ...], Field(description="Networks, beside those known, whose opens and clicks are machines'")
    ] = ()
    sendgrid_public_key: Annotated[
        str, Field(description="SendGrid's verification key of the signed event webhook; its webhook is off without")
    ] = ""
    mailgun_signing_key: Annotated[
        SecretStr, Field(description="Mailgun's HTTP webhook signing key; its webhook is off without")
    ] = SecretStr("")
    postmark_login: Annotated[
        SecretStr, Field(description="user:password that Postmark sends as basic auth; its webhook is off without")
    ] = SecretStr("")
    ses_topics: Annotated[
        tuple[str, ...], Field(description="ARNs of the SNS topics that SES reports to; its webhook is off without")
    ] = ()
    sender_secret: Annotated[
        SecretStr, Field(description="Signs webhooks of the generic form; they are off without")
    ] = SecretStr("")
    sender_max_age_s: Annotated[
        int,
        Field(ge=60, le=604_800, description="A signed webhook older than that is refused; senders retry for a day"),
    ] = 90_000
    playbook: Annotated[Path, Field(description="Marketing's YAML file")] = Path("playbook.yaml")
    history_days: Annotated[int, Field(ge=1, le=3650, description="How far back a visitor's history is stitched")] = 90
    smtp_host: Annotated[str, Field(description="Mail server")] = "127.0.0.1"
    smtp_port: Annotated[int, Field(ge=1, le=65535, description="Its port")] = 25
    smtp_user: Annotated[str, Field(description="Login there; none if empty")] = ""
    smtp_password: Annotated[SecretStr, Field(description="Password there")] = SecretStr("")
    smtp_starttls: Annotated[bool, Field(description="Encrypt the connection to the mail server")] = False
    mail_from: Annotated[str, Field(description="Sender of briefs")] = "readbrief <briefs@localhost.localdomain>"
    chat_targets: Annotated[
        dict[str, SecretStr],
        Field(description="Chat addresses by the names that reps' chat channels use: see operations.md, Channels"),
    ] = Field(default_factory=dict)
    admin_channel: Annotated[
        str,
        Field(description="A chat target's name or a mail address: told once of each channel that refuses for good"),
    ] = ""
    account_page_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://\S+)?$",
            description="An account's page, with {account_id} in it; our own page's if empty",
        ),
    ] = ""
    web_host: Annotated[str, Field(description="Address the pages are served on")] = "127.0.0.1"
    web_port: Annotated[int, Field(ge=0, le=65535, description="Port the pages are served on")] = 8090
    web_url: Annotated[
        str, Field(pattern=r"^https?://[^\s/]+/?$", description="The pages' public address, an origin of their own")
    ] = "http://127.0.0.1:8090"
    web_trusted_proxies: Annotated[
        str, Field(description="Addresses or networks, by commas, whose X-Forwarded-For the pages believe")
    ] = "127.0.0.1"
    web_marketing: Annotated[
        str, Field(description="Addresses, by commas, that see every account; reps are known by the directory")
    ] = ""
    web_session_hours: Annotated[int, Field(ge=1, le=720, description="How long a sign-in lasts")] = 12
    web_link_minutes: Annotated[int, Field(ge=1, le=1440, description="How long a sign-in link is good, once")] = 15
    oidc_issuer: Annotated[
        str,
        Field(pattern=r"^(https?://\S+)?$", description="Issuer of OpenID Connect for single sign-on; off if empty"),
    ] = ""
    oidc_client_id: Annotated[str, Field(description="The pages' client id there")] = ""
    oidc_client_secret: Annotated[SecretStr, Field(description="The client's secret; none if it is a public one")] = (
        SecretStr("")
    )
    oidc_name: Annotated[str, Field(max_length=40, description="What the issuer is called on the sign-in page")] = ""
    oidc_trust_email: Annotated[
        bool, Field(description="Take the issuer's email claim though it does not say that it is verified")
    ] = False
    digest_spread_s: Annotated[
        float, Field(ge=0, le=7200, description="Digests leave within so many seconds, each rep's at its own moment")
    ] = 300
    start_wait_s: Annotated[
        float, Field(ge=0, le=600, description="How long a starting process waits for Kafka and ClickHouse")
    ] = 30
    delivery_attempts: Annotated[int, Field(ge=1, le=20, description="Tries per delivery")] = 5
    delivery_backoff_s: Annotated[float, Field(ge=0, le=600, description="First pause between tries; it doubles")] = 1
    streams_metrics_host: Annotated[str, Field(description="Address Prometheus asks the stream worker at")] = (
        "127.0.0.1"
    )
    streams_metrics_port: Annotated[
        int, Field(ge=0, le=65535, description="Port Prometheus asks the stream worker at; none if 0")
    ] = 0
    report_to: Annotated[
        str, Field(description="Addresses, by commas, that get the weekly page by mail; nobody if empty")
    ] = ""
    report_language: Annotated[Language, Field(description="The weekly page's language")] = "en"
    report_day: Annotated[int, Field(ge=0, le=6, description="Weekday on which it is sent, from 0 for Monday")] = 0
    report_time: Annotated[time, Field(description="From when on that day")] = time(7)
    report_time_zone: Annotated[
        TimeZoneName, Field(description="The meeting's clock: when its week begins and ends")
    ] = "UTC"
    dead_letter_limit: Annotated[
        int, Field(ge=1, description="So many dead letters in a row stop a consumer: a bad deploy, not bad messages")
    ] = 100
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$", description="Least level logged")] = "info"

    @property
    def account_page(self) -> str:
        """Where an account's page is, with {account_id} in it."""
        return self.account_page_url or f"{self.web_url.rstrip('/')}/accounts/{{account_id}}"

    @property
    def marketers(self) -> tuple[str, ...]:
        """The addresses that see every account."""
        return tuple(one.strip() for one in self.web_marketing.split(",") if one.strip())

    def signing_key(self, purpose: str) -> bytes:
        """Return the key for one purpose, so that a token made for one is no good for another."""
        return hashlib.blake2b(self.secret.get_secret_value().encode(), person=purpose.encode()[:16]).digest()


def load_settings(**overrides: Any) -> Settings:
    """Build the settings from the environment, with overrides.

    Raises:
        InputError: a variable is missing or breaks a rule; the message names it.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        field, _, problem = first_error(error).partition(": ")
        raise InputError(f"READBRIEF_{field.upper()}: {problem}") from error
