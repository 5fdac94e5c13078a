"""The error tree: what can go wrong, in words a person can act on.

Every error is one sentence that starts with its subject and has no full stop, plus a hint in the
imperative. The class decides the machine-readable code, the exit code of the command line and
whether trying again without a change can help.
"""

from __future__ import annotations

from typing import ClassVar


class WherryError(Exception):
    """Base of all errors that wherry raises on purpose."""

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def as_json(self) -> dict[str, object]:
        """Return the error as the object that ``--json`` prints."""
        return {
            "error": self.code,
            "message": self.message,
            "hint": self.hint,
            "retryable": self.retryable,
            "exit_code": self.exit_code,
        }


class BadInput(WherryError):
    """Usage or input is wrong: a file, a row, a name, a setting."""

    code = "bad-input"
    exit_code = 2


class NotFound(BadInput):
    """Something was asked for by a name that does not exist."""

    code = "not-found"


class PlanTampered(BadInput):
    """A plan's content does not match its fingerprint."""

    code = "plan-tampered"


class Blocked(WherryError):
    """Findings, missing approvals or a closed window forbid the act."""

    code = "blocked"
    exit_code = 3


class PartlyDone(WherryError):
    """Some of the work is done and recorded, some is not."""

    code = "partly-done"
    exit_code = 4
    retryable = True


class ProjectBusy(WherryError):
    """Another run holds the project or the wave."""

    code = "busy"
    exit_code = 5
    retryable = True


class HeldOpen(ProjectBusy):
    """Somebody looks at it, for as long as they like: trying again by itself is no use."""

    code = "held-open"
    retryable = False


class Unreachable(WherryError):
    """A site, receiver or vCenter does not answer."""

    code = "unreachable"
    exit_code = 6
    retryable = True


class StepFailed(WherryError):
    """A step of a run ended with a reason; a person or a retry decides what next."""

    code = "step-failed"


class PastEnd(StepFailed):
    """A disk that comes home holds something past the end of the one that it comes home to."""

    code = "past-end"


class Paused(WherryError):
    """Somebody asked the run to stop at the next edge; what is done stays done."""

    code = "paused"
    exit_code = 4
    retryable = True


class SiteRefused(WherryError):
    """A site understood the request and declined it, nothing was changed."""

    code = "refused"


class NameTaken(SiteRefused):
    """A site declined a name because something of that place has it."""

    code = "name-taken"


class NoSpace(WherryError):
    """A disk or datastore is full."""

    code = "no-space"


class Corrupt(WherryError):
    """Stored bytes do not match their digest or format."""

    code = "corrupt"
