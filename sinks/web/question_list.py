"""Every question that pages ask, by name."""

from sinks.web import account, accounts, content

QUESTIONS = {question.name: question for module in (accounts, account, content) for question in module.QUESTIONS}
