"""Every question that pages ask, by name."""

from sinks.web import account, accounts, health, rep

QUESTIONS = {question.name: question for module in (accounts, account, rep, health) for question in module.QUESTIONS}
