"""Transactions on ChatKit's records of files: on rows only, never on the bytes in the object store."""

from __future__ import annotations

from collections.abc import Sequence

from chatkit.types import Attachment
from sqlalchemy import Connection, select, update

from errors import ConflictError, NotFoundError
from storage.file_rows import FILES, belongs_to_owner, is_available_file
from storage.rows import ATTACHMENT
from storage.scope import NO_ATTACHMENT, Scope, require
from storage.statements import insert_for
from turns.clock import utc_now


def save_attachment(connection: Connection, scope: Scope, attachment: Attachment) -> None:
    """Create or replace ChatKit's record of a file, and keep the other columns of its row."""
    document = ATTACHMENT.dump_python(attachment, mode="json", exclude={"upload_descriptor"})
    now = utc_now()
    values = {**scope.columns, "id": attachment.id, "created_at": now, "changed_at": now, "document": document}
    stmt = insert_for(connection.dialect.name, FILES).on_conflict_do_update(
        index_elements=["id"],
        set_={"document": document},
        where=belongs_to_owner(scope),
    )
    # Some database drivers do not report a row count for an INSERT.
    require(connection.scalar(stmt.returning(FILES.c.id), values), NO_ATTACHMENT)


def load_attachment(connection: Connection, scope: Scope) -> Attachment:
    """Return ChatKit's record of a file."""
    document = require(connection.scalar(select(FILES.c.document).where(is_available_file(scope))), NO_ATTACHMENT)
    return ATTACHMENT.validate_python(document)


def delete_attachment(connection: Connection, scope: Scope) -> None:
    """Make a file invisible to its owner; its bytes are deleted next, and its row last."""
    mark = update(FILES).where(is_available_file(scope))
    if connection.execute(mark.values(state="deleting", thread_key=None, changed_at=utc_now())).rowcount == 0:
        raise NotFoundError(NO_ATTACHMENT)


def bind_files(connection: Connection, scope: Scope, thread_key: int, attachments: Sequence[Attachment]) -> None:
    """Bind files to a thread, in the transaction of the message that they are sent with.

    Raises:
        NotFoundError: When one of them does not exist, or belongs to somebody else.
        ConflictError: When one of them has not been uploaded, or is part of a message already.
    """
    for attachment in attachments:
        document = ATTACHMENT.dump_python(attachment, mode="json", exclude={"upload_descriptor"})
        own = scope._replace(id=attachment.id)
        is_unsent = (is_available_file(own), FILES.c.state == "uploaded")
        values = {"state": "bound", "thread_key": thread_key, "changed_at": utc_now(), "document": document}
        if connection.execute(update(FILES).where(*is_unsent).values(**values)).rowcount:
            continue
        state = require(connection.scalar(select(FILES.c.state).where(is_available_file(own))), NO_ATTACHMENT)
        if state == "bound":
            raise ConflictError("This file is part of another message already.", code="attachments.sent_already")
        raise ConflictError("This file has not been uploaded yet.", code="attachments.not_uploaded")
