"""Connects to ClickHouse, and says in one line why it can't."""

import threading
import time

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, NetworkError, ServerException, SocketTimeoutError

from schemas.errors import InputError, UnavailableError
from schemas.settings import Settings

CONNECT_TIMEOUT_S = 3
ANSWER_TIMEOUT_S = 120
_REFUSED_LOGIN = {
    ErrorCodes.UNKNOWN_USER,
    ErrorCodes.WRONG_PASSWORD,
    ErrorCodes.REQUIRED_PASSWORD,
    516,  # AUTHENTICATION_FAILED, which the driver has no name for
}
_RETRY_PAUSE_S = 0.5


def connect(settings: Settings, database: str | None = None, answer_timeout_s: int = ANSWER_TIMEOUT_S) -> Client:
    """Return an open connection to the settings' database, or to another one, that waits so long for an answer.

    Raises:
        UnavailableError: nothing answers there as ClickHouse does.
        InputError: ClickHouse refuses the user, the password or the database.
    """
    database = settings.clickhouse_database if database is None else database
    address = f"{settings.clickhouse_host}:{settings.clickhouse_port}"
    client = Client(
        settings.clickhouse_host,
        port=settings.clickhouse_port,
        database=database,
        user=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        client_name="readbrief",
        connect_timeout=CONNECT_TIMEOUT_S,
        send_receive_timeout=answer_timeout_s,
    )
    try:
        client.connection.connect()
    except (NetworkError, SocketTimeoutError, EOFError, OSError) as error:
        raise UnavailableError(
            f"ClickHouse does not answer at {address}: start it, or set READBRIEF_CLICKHOUSE_HOST and _PORT "
            "to the address of its native protocol"
        ) from error
    except ServerException as error:
        raise _refusal(error, settings.clickhouse_user, database, address) from error
    return client


def wait_for_clickhouse(settings: Settings, timeout_s: float, stop: threading.Event) -> None:
    """Wait until ClickHouse answers, or `stop` is set.

    Raises:
        UnavailableError: it has not answered in time.
        InputError: it refuses the user or the password.
    """
    deadline = time.monotonic() + timeout_s
    while not stop.is_set():
        try:
            connect(settings, database="").disconnect()
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            stop.wait(_RETRY_PAUSE_S)
        else:
            return


def _refusal(error: ServerException, user: str, database: str, address: str) -> InputError | UnavailableError:
    if error.code in _REFUSED_LOGIN:
        return InputError(f"ClickHouse at {address} refuses user {user!r}: set READBRIEF_CLICKHOUSE_USER and _PASSWORD")
    if error.code == ErrorCodes.UNKNOWN_DATABASE:
        return InputError(f"ClickHouse at {address} has no database {database!r}: run the migrations first")
    reason = " ".join(error.message.split())[:300]
    return UnavailableError(f"ClickHouse at {address} refuses the connection: {reason}")
