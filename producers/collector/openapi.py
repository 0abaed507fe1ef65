"""The collector's HTTP interface as an OpenAPI document, made from the contract's own schemas."""

from functools import cache
from typing import Any

from producers.intake import MAX_REPORT_BYTES
from schemas.envelope import Report
from schemas.feedback import FeedbackKind

_REF = "#/components/schemas/{model}"


@cache
def openapi() -> dict[str, Any]:
    """Return the document; what each status means is told in docs/protocol.md."""
    report = Report.model_json_schema(ref_template=_REF)
    schemas = {**report.pop("$defs"), "Report": report, "Error": _error_schema()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "readbrief collector", "version": "1", "license": {"name": "Apache-2.0"}},
        "paths": {
            "/v1/events": {"post": _take_report(), "options": _preflight()},
            "/l/{token}": {"get": _follow_link()},
            "/f/{kind}/{token}": _feedback(),
            "/l/{target}/{token}": {"get": _follow_prepared()},
            "/o/{token}": {"get": _pixel()},
            "/v1/senders/{sender}/{site}": {"post": _take_webhook()},
            "/rb.js": {"get": _plain("The snippet", "text/javascript", "304")},
            "/overlay.js": {"get": _plain("What draws figures over a page", "text/javascript", "304")},
            "/v1/overlay": {"post": _overlay()},
            "/healthz": {"get": _plain("Answers as long as the process serves", "text/plain")},
            "/readyz": {"get": _plain("Whether events can be accepted now", "text/plain", unavailable=True)},
            "/openapi.json": {"get": _plain("This document", "application/json")},
        },
        "components": {"schemas": schemas},
    }


def _take_report() -> dict[str, Any]:
    schema = {"schema": {"$ref": "#/components/schemas/Report"}}
    return {
        "summary": "Take a report of the snippet",
        "description": f"At most {MAX_REPORT_BYTES} bytes, also unpacked, and 100 events. 204 means: kept for good.",
        "operationId": "report",
        "parameters": [
            {"name": "Content-Encoding", "in": "header", "schema": {"type": "string", "enum": ["gzip", "identity"]}}
        ],
        "requestBody": {"required": True, "content": {"application/json": schema, "text/plain": schema}},
        "responses": {
            "204": {"description": "Every event is in Kafka, or on disk"},
            "400": _refusal("The body is no report; `field` says where"),
            "403": _refusal("No such site, or not one of its origins"),
            "413": _refusal("Too large"),
            "415": _refusal("Another content type or encoding"),
            "429": _later("The client or the visitor sends too much"),
            "503": _later("Nothing was kept: Kafka is away, and there is no spool, or it is full"),
        },
    }


def _overlay() -> dict[str, Any]:
    return {
        "summary": "Tell what is drawn over a page",
        "description": "The body is the token of a signed link, which the web pages make.",
        "operationId": "overlay",
        "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}},
        "responses": {
            "200": {"description": "The figures", "content": {"application/json": {"schema": {"type": "object"}}}},
            "403": _refusal("The token is forged or expired"),
            "404": _refusal("This collector draws no overlays"),
            "413": _refusal("No token is as long"),
            "429": _later("The client asks too often"),
            "503": _refusal("The store can't be asked"),
        },
    }


def _preflight() -> dict[str, Any]:
    return {
        "summary": "Tell a browser whether a page may report",
        "operationId": "preflight",
        "parameters": [{"name": "Origin", "in": "header", "schema": {"type": "string"}}],
        "responses": {
            "204": {"description": "It may"},
            "403": _refusal("Its origin is no configured site's"),
        },
    }


def _follow_link() -> dict[str, Any]:
    return {
        "summary": "Follow a signed link of an email",
        "operationId": "follow",
        "parameters": [{"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}],
        "responses": {
            "302": {"description": "To the page", "headers": {"Location": {"schema": {"type": "string"}}}},
            "400": {"description": "A page for people", "content": {"text/html": {"schema": {"type": "string"}}}},
            "404": _refusal("The token holds a slash"),
        },
    }


def _feedback() -> dict[str, Any]:
    parameters = [
        {"name": "kind", "in": "path", "required": True, "schema": {"type": "string", "enum": list(FeedbackKind)}},
        {"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
    ]
    page = {"content": {"text/html": {"schema": {"type": "string"}}}}
    form = {
        "type": "object",
        "properties": {"form": {"type": "string"}, "text": {"type": "string"}, "List-Unsubscribe": {"type": "string"}},
    }
    answers = {
        "400": {"description": "A page for people: the link is not valid, or its time is over", **page},
        "404": _refusal("There is no such kind, or the token holds a slash"),
        "429": _later("The client asks too much"),
    }
    pixel = {"text/html": {"schema": {"type": "string"}}, "image/gif": {"schema": {"type": "string"}}}
    return {
        "get": {
            "summary": "Open a link of a brief: a picture, a way to a page, or a question",
            "operationId": "ask",
            "parameters": parameters,
            "responses": {
                "200": {"description": "The question, or the picture", "content": pixel},
                "302": {"description": "To the page", "headers": {"Location": {"schema": {"type": "string"}}}},
                **answers,
            },
        },
        "post": {
            "summary": "Answer a brief",
            "operationId": "answer",
            "parameters": parameters,
            "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": form}}},
            "responses": {
                "200": {
                    "description": "The answer is kept for good; or, a picture's address: the picture",
                    "content": pixel,
                },
                "405": _refusal("What this link is for needs no answer"),
                "413": {"description": "Too large", **page},
                "503": {"description": "Nothing was kept: the page asks again", **page},
                **answers,
            },
        },
    }


def _follow_prepared() -> dict[str, Any]:
    parts = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in ("target", "token")
    ]
    followed = _follow_link()
    return {
        **followed,
        "summary": "Follow a link of a prepared mail",
        "operationId": "followPrepared",
        "parameters": parts,
    }


def _pixel() -> dict[str, Any]:
    return {
        "summary": "The open pixel of a prepared mail",
        "operationId": "pixel",
        "parameters": [{"name": "token", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}],
        "responses": {
            "200": {"description": "The picture, whatever the token", "content": {"image/gif": {}}},
            "404": _refusal("The token holds a slash"),
        },
    }


def _take_webhook() -> dict[str, Any]:
    senders = {"type": "string", "enum": ["sendgrid", "mailgun", "postmark", "ses", "generic"]}
    return {
        "summary": "Take what a sender of emails reports",
        "description": "At most 4 MB and 10,000 events, taken or refused whole; the proof is each sender's own.",
        "operationId": "webhook",
        "parameters": [
            {"name": "sender", "in": "path", "required": True, "schema": senders},
            {"name": "site", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}},
        "responses": {
            "204": {"description": "Every event is in Kafka, or on disk"},
            "400": _refusal("Something in it is malformed; `field` says what"),
            "401": _refusal("It is forged, expired, or was accepted before"),
            "404": _refusal("No such sender or site is configured"),
            "413": _refusal("Too large"),
            "415": _refusal("Another encoding"),
            "429": _later("The client sends too much"),
            "503": _later("Nothing was kept: Kafka is away, and there is no spool; or Amazon does not answer"),
        },
    }


def _plain(summary: str, media_type: str, *more: str, unavailable: bool = False) -> dict[str, Any]:
    schema: dict[str, Any] = {} if media_type == "application/json" else {"type": "string"}
    answers: dict[str, Any] = {"200": {"description": summary, "content": {media_type: {"schema": schema}}}}
    answers |= {status: {"description": "Not changed"} for status in more}
    if unavailable:
        answers["503"] = _later("They can't")
    return {"summary": summary, "responses": answers}


def _refusal(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }


def _later(description: str) -> dict[str, Any]:
    retry = {"Retry-After": {"required": True, "schema": {"type": "integer"}, "description": "Seconds to wait"}}
    return {**_refusal(description), "headers": retry}


def _error_schema() -> dict[str, Any]:
    said = {"field": {"type": "string"}, "message": {"type": "string", "minLength": 1}}
    inner = {"type": "object", "required": ["field", "message"], "properties": said}
    return {"type": "object", "required": ["error"], "properties": {"error": inner}}
