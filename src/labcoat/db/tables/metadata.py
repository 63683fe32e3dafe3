"""What all tables share: one set of names for constraints, and the type of Slack's ids."""

from sqlalchemy import MetaData, String

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}  # fmt: skip
metadata = MetaData(naming_convention=_NAMES)

ID = String(40)  # Slack's ids have 11 characters or so, and no promised length
