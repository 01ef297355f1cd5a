"""What can go wrong.

SelfplayError
├── UsageError                 the person can mend it: settings, flags, files (exit 2)
│   ├── SettingsError
│   ├── WorkspaceError         the wrong kind of workspace, or in use
│   │   └── OldWorkspace       of an earlier version: a writer mends it
│   └── OutputEditedError      the output file is not what we left
├── Fault                      law 2: no verdict, no attempt, nobody's mistake
│   ├── ModelFault
│   │   ├── ModelUnreachable   away: wait and try again
│   │   ├── ModelBusy          away: wait and try again
│   │   ├── ModelNotFound      the server lives, the model is not there
│   │   ├── ModelRefusedRequest  the request itself is wrong: never repeated
│   │   │   └── ModelDenied    the key or the address is wrong: whoever asks is turned away
│   │   ├── ModelServerError   a 5xx or an error line in the stream: a few more tries
│   │   ├── ModelStalled       bytes stopped coming: a few more tries
│   │   └── NoAnswer           the reply ended without an answer: asked again twice
│   │       ├── Truncated
│   │       ├── Blank
│   │       └── Unfinished
│   └── ServerFault
│       ├── ServerUnreachable  away: wait and try again
│       ├── LoginRefused       the RCON password is wrong
│       ├── ServerBusy         another process on this machine holds the server
│       ├── ConnectionLost     closed or silent in the middle of a command
│       │   └── NothingSent    it was gone before the command
│       └── ProtocolViolation  garbage on the wire
├── IllTyped                   the model's mistake: the reply is no answer; told to the model
├── CapReached                 the run has done as much to the world as it may: it ends, and well (exit 0)
├── CommandTooLong             the model's mistake: more bytes than the server reads
├── UntrustedServer            what the server says puts its verdicts, or its players, at risk
│   ├── CanaryFailed           a command with a known verdict got another
│   └── ForeignPlayers         people are online who are not in the settings
├── StoreError                 the disk said no
├── DecisionOvertaken          somebody else decided on the same trace meanwhile
├── CaseOfBakeoff              a prompt that models are compared by may not be what they are taught
└── GaveUp                     a server stayed away for longer than --give-up (exit 1)
"""

from __future__ import annotations

__all__ = [
    "Blank",
    "CanaryFailed",
    "CapReached",
    "CaseOfBakeoff",
    "CommandTooLong",
    "ConnectionLost",
    "DecisionOvertaken",
    "Fault",
    "ForeignPlayers",
    "GaveUp",
    "IllTyped",
    "LoginRefused",
    "ModelBusy",
    "ModelDenied",
    "ModelFault",
    "ModelNotFound",
    "ModelRefusedRequest",
    "ModelServerError",
    "ModelStalled",
    "ModelUnreachable",
    "NoAnswer",
    "NothingSent",
    "OldWorkspace",
    "OutputEditedError",
    "ProtocolViolation",
    "SelfplayError",
    "ServerBusy",
    "ServerFault",
    "ServerUnreachable",
    "SettingsError",
    "StoreError",
    "Truncated",
    "Unfinished",
    "UntrustedServer",
    "UsageError",
    "WorkspaceError",
]


class SelfplayError(Exception):
    """Raised for everything this project foresees; its text says what happened, to what, and what to do."""


class UsageError(SelfplayError):
    """Raised when settings, flags or files need a person's hand."""


class SettingsError(UsageError):
    """Raised by settings that are not valid; names the key, the value and what is allowed."""


class WorkspaceError(UsageError):
    """Raised when a workspace is of the other kind, in use, or cannot be written."""


class OldWorkspace(WorkspaceError):
    """Raised by looking into a workspace of an earlier version, which a writer brings up to date."""


class OutputEditedError(UsageError):
    """Raised when an output file is neither in its committed nor in its pending state."""


class Fault(SelfplayError):
    """Raised when a server or the wire failed; never a verdict on the model."""


class ModelFault(Fault):
    """Raised when a request to the model brought no reply that counts.

    `thinking` and `partial` hold what had come before the fault, verbatim.
    """

    def __init__(self, message: str, *, partial: str = "", thinking: str = "") -> None:
        super().__init__(message)
        self.partial = partial
        self.thinking = thinking


class ModelUnreachable(ModelFault):
    """Raised when no connection to the model server can be made."""


class ModelBusy(ModelFault):
    """Raised when the model server turns the request away for now (HTTP 429 or 503)."""


class ModelNotFound(ModelFault):
    """Raised when the model server does not have the model."""


class ModelRefusedRequest(ModelFault):
    """Raised when the model server calls the request itself wrong (HTTP 4xx)."""


class ModelDenied(ModelRefusedRequest):
    """Raised when the model server turns away whoever asks: the key, the address or the path is wrong."""


class ModelServerError(ModelFault):
    """Raised by HTTP 5xx, an error line within a stream, or a connection cut within a reply."""


class ModelStalled(ModelFault):
    """Raised when bytes stop coming, or the whole reply takes longer than its deadline."""


class NoAnswer(ModelFault):
    """Raised when the reply ended in good order but holds no answer."""


class Truncated(NoAnswer):
    """Raised when the server's done reason says that the token limit cut the reply."""


class Blank(NoAnswer):
    """Raised when the reply has no content apart from thinking."""


class Unfinished(NoAnswer):
    """Raised when the stream ended, or outgrew its bound, without the server saying that it is done."""


class ServerFault(Fault):
    """Raised when the Minecraft server or the wire to it failed."""


class ServerUnreachable(ServerFault):
    """Raised when no RCON connection can be made."""


class LoginRefused(ServerFault):
    """Raised when the server refuses the RCON password."""


class ServerBusy(ServerFault):
    """Raised when another process of this machine holds the server's lock."""


class ConnectionLost(ServerFault):
    """Raised when the connection closed, or stayed silent past the deadline, within a command."""


class NothingSent(ConnectionLost):
    """Raised instead of sending a command when the connection has gone meanwhile: it has not run."""


class ProtocolViolation(ServerFault):
    """Raised by bytes that are no RCON packet, or a packet for another request."""


class IllTyped(SelfplayError):
    """Raised when a reply does not decode to the typed answer; its text is written for the model."""


class CapReached(SelfplayError):
    """Raised before an attempt that would do more to the world than one run may."""


class CommandTooLong(SelfplayError):
    """Raised before sending a command of more bytes than the server reads in one packet."""


class UntrustedServer(SelfplayError):
    """Raised when a server must not be used as it is now."""


class CanaryFailed(UntrustedServer):
    """Raised when a command whose verdict is known got another; says what the server answered."""


class ForeignPlayers(UntrustedServer):
    """Raised when players are online who are not in the settings."""


class StoreError(SelfplayError):
    """Raised when the database or the output file cannot be written."""


class CaseOfBakeoff(SelfplayError):
    """Raised by accepting a trace whose prompt is a case of a bake-off, or nearly one."""


class DecisionOvertaken(SelfplayError):
    """Raised when a decision was made on the sight of an older one than the last."""


class GaveUp(SelfplayError):
    """Raised when a server stayed away for longer than the run was told to wait."""
