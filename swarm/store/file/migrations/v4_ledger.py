"""The ledger of tool calls: how far each came, which version it went to, and questions about those in doubt."""

from alembic import op
from sqlalchemy import Column, Float, Integer, String

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Until then a row told only whether a call had ended: one that had not may have left."""
    for name in ("state", "pin", "before"):
        op.add_column("calls", Column(name, String, nullable=False, server_default=""))
    op.add_column("calls", Column("sent_at", Float))
    op.execute(
        "UPDATE calls SET state = CASE WHEN result != '' THEN 'done'"
        " WHEN effect IN ('pure', 'idempotent') THEN 'intent' ELSE 'sent' END"
    )
    op.create_table(
        "questions",
        Column("number", Integer, primary_key=True),
        Column("thread", String, nullable=False),
        Column("turn", Integer, nullable=False),
        Column("position", Integer, nullable=False),
        Column("evidence", String, nullable=False),
        Column("asked_at", Float, nullable=False),
        Column("decision", String, nullable=False),
        Column("note", String, nullable=False),
        Column("answered_at", Float),
    )
