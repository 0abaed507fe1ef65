"""The query behind a number, with its values filled in: for what the viewer may see, as the page itself asked it."""

from starlette.responses import Response

from sinks.web.asked import Asked, not_found
from sinks.web.question_list import QUESTIONS
from sinks.web.routing import PageRoute


def query_page(asked: Asked) -> Response:
    """Show one query."""
    question = QUESTIONS.get(asked.request.path_params["name"])
    if question is None or not asked.sight.is_among(question.whom):
        raise not_found()
    if question.of_account and asked.account is None:
        raise not_found()
    given = question.given(asked)
    return asked.page("query.html.j2", question=question, sql=question.as_run(given), given=given, tab="")


ROUTES = (PageRoute("/queries/{name}", query_page),)
