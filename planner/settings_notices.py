"""Settings of notices: who is told when a run stops, fails or ends. They shape no plan."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

About = Literal["gate", "failure", "outcome", "alarm"]


def _web(url: str) -> str:
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError(f"{url!r} is no https address; http is for this machine only")
    if parts.password is not None:
        raise ValueError("an address of a webhook holds a password, and settings are shown")
    return url


class Notices(BaseModel):
    """Who is told of gates that wait, failures, ends and alarms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    webhooks: tuple[Annotated[str, AfterValidator(_web)], ...] = Field(
        (), description="addresses that get a POST with JSON for each notice"
    )
    mail_to: tuple[str, ...] = Field((), description="e-mail addresses")
    mail_from: str = Field("", description="the sender's address; needed for mail")
    smtp: str = Field("localhost:25", description="the mail server, HOST:PORT; TLS where it offers it")
    about: tuple[About, ...] = Field(
        ("gate", "failure", "outcome", "alarm"), description="what people are told of"
    )

    @model_validator(mode="after")
    def _has_a_sender(self) -> Notices:
        if self.mail_to and not self.mail_from:
            raise ValueError("notices.mail_to needs notices.mail_from")
        if any(mark in address for address in (*self.mail_to, self.mail_from) for mark in "\r\n"):
            raise ValueError("an e-mail address of notices holds a line break")
        return self
