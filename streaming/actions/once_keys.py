"""Keys of actions that are carried out once, made of the widget, the action and the widget's own payload."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from chatkit.actions import Action
from chatkit.types import WidgetItem

from streaming.actions.form_fields import Offer


def once_key(action: Action[str, Any], sender: WidgetItem | None, offered: Offer | None) -> str:
    """Return the key of an action within its thread.

    Field values are not part of the key: the same order with another note is the same order.
    """
    payload = action.payload if offered is None else offered.action.get("payload")
    text = json.dumps(
        [sender.id if sender is not None else None, action.type, payload or None], sort_keys=True, default=str
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
