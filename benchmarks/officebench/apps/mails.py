"""Mails: ``emails/NAME/SUBJECT.eml`` for each person."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from mcp.server.mcpserver.exceptions import ToolError

from benchmarks.officebench.apps.places import name_of, own

DOMAIN = "example.com"


class Mails:
    """The tools over the mails of a workspace."""

    def __init__(self, root: Path) -> None:
        self._folder = root / "emails"

    def email_list(self, user: str) -> str:
        """List a person's mails: file name, sender, recipient, date, subject, beginning of the text."""
        folder = own(self._folder, name_of(user))
        paths = sorted(folder.glob("*.eml"))
        return "\n".join(_line(path) for path in paths) or f"{user} has no mails"

    def email_read(self, user: str, email: str) -> str:
        """Read one mail of a person whole, by its file name."""
        folder = own(self._folder, name_of(user))
        name = email.strip() if email.strip().endswith(".eml") else f"{email.strip()}.eml"
        path = own(folder, name)
        if "/" in name or not path.is_file():
            raise ToolError(f"{user} has no mail {name[:80]!r}; list the mails for their file names")
        mail = _parsed(path)
        heads = [f"{key}: {mail[key]}" for key in ("From", "To", "Cc", "Date", "Subject") if mail[key]]
        return "\n".join([*heads, "", text_of(mail)])

    def email_send(self, sender: str, recipient: str, subject: str, content: str) -> str:
        """Send a mail from one person to one other; to write to several, send one to each."""
        if "," in recipient or ";" in recipient:
            raise ToolError("there can be one recipient alone; send a mail to each")
        if not subject.strip() or len(subject) > 200:
            raise ToolError("a mail needs a subject of at most 200 letters")
        mail = EmailMessage(policy=policy.default)
        mail["From"], mail["To"] = (f"{name_of(name)}@{DOMAIN}" for name in (sender, recipient))
        mail["Subject"] = " ".join(subject.split())
        mail.set_content(content, cte="8bit")
        name = f"{mail['Subject'].replace('/', '-').lstrip('.')}.eml"
        for person in (recipient, sender):
            folder = own(self._folder, name_of(person))
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(
                mail.as_bytes(policy=policy.default.clone(cte_type="8bit", utf8=True))
            )
        return f"sent {subject!r} to {name_of(recipient)}"


def _parsed(path: Path) -> EmailMessage:
    return BytesParser(EmailMessage, policy=policy.default).parsebytes(path.read_bytes())


def text_of(mail: EmailMessage) -> str:
    """What a mail says."""
    parts = [part for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join(str(part.get_content()) for part in parts)


def _line(path: Path) -> str:
    mail = _parsed(path)
    heads = [f"{key}: {mail[key]}" for key in ("From", "To", "Date", "Subject") if mail[key]]
    return " | ".join([path.name, *heads, " ".join(text_of(mail).split())[:60]])
