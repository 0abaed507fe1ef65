"""Every question that pages ask, by name."""

from sinks.web import account, accounts, content, health, rep

_MODULES = (accounts, account, content, rep, health)
QUESTIONS = {question.name: question for module in _MODULES for question in module.QUESTIONS}
