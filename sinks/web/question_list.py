"""Every question that pages ask, by name."""

from sinks.web import accounts

QUESTIONS = {question.name: question for module in (accounts,) for question in module.QUESTIONS}
