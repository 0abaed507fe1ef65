"""Our cookies: not for scripts, not for other sites, and only over https where the pages are."""

from starlette.responses import Response

SESSION = "readbrief"
OIDC = "readbrief-oidc"
_LANGUAGE_S = 31_536_000


def cookie_name(name: str, *, secure: bool) -> str:
    """Return a cookie's name; over https no other host or path can set one of this name."""
    return f"__Host-{name}" if secure else name


def set_cookie(answer: Response, name: str, value: str, max_age_s: int, *, secure: bool) -> None:
    """Have the browser keep a signed value."""
    answer.set_cookie(
        cookie_name(name, secure=secure), value, max_age=max_age_s, secure=secure, httponly=True, samesite="lax"
    )


def drop_cookie(answer: Response, name: str, *, secure: bool) -> None:
    """Have the browser forget one."""
    answer.delete_cookie(cookie_name(name, secure=secure), secure=secure, httponly=True, samesite="lax")


def set_language(answer: Response, language: str, *, secure: bool) -> None:
    """Have the browser keep the language that was chosen."""
    answer.set_cookie("lang", language, max_age=_LANGUAGE_S, secure=secure, httponly=True, samesite="lax")
