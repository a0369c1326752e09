"""Texts may be packed, so programs of before cannot read them; checkpoints may be pinned."""

from alembic import op
from sqlalchemy import Column, Integer

revision = "2"
down_revision = None


def upgrade() -> None:
    """Texts that are there stay as they are: whoever reads tells them apart."""
    op.add_column("checkpoints", Column("pinned", Integer, nullable=False, server_default="0"))
