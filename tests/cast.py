"""The people of the tests. Their addresses are canaries: none may ever be in a log line."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A recipient."""

    email: str
    phone: str


ANA = Person("ana.canary.7f3c@example.com", "+14155552671")
"""Acme's recipient, by mail and phone."""

BO = Person("bo.canary.9d1e@example.com", "+447911123456")
"""Another one of Acme's, mostly by phone."""

CY = Person("cy.canary.2b8a@bolt.example", "+4915123456789")
"""Bolt's alone: Acme must never see him."""

CANARIES = tuple(
    part
    for person in (ANA, BO, CY)
    for part in (person.email, person.email.partition("@")[0], person.phone, person.phone[1:])
)
