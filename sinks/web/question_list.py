"""Every question that pages ask, by name."""

from sinks.web import account, accounts

QUESTIONS = {question.name: question for module in (accounts, account) for question in module.QUESTIONS}
