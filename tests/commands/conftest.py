import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def manage(db: None, capsys: Any) -> Any:
    """Run a command in process; returns what it printed. A refusal is CommandError, whose text is one line."""

    def manage(*arguments: str) -> str:
        out = io.StringIO()
        call_command(*arguments, stdout=out)
        return out.getvalue()

    return manage


@pytest.fixture
def refuses(manage: Any) -> Any:
    """Run a command that must refuse; returns its one line."""

    def refuses(*arguments: str) -> str:
        with pytest.raises(CommandError) as refusal:
            manage(*arguments)
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    return refuses
