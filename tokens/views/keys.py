"""Signing keys: what signs, what is ready to, what did, and what must not any more."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.access import ADMIN, VIEWER, ConsoleRequest, console_page
from accounts.lookups import find_or_404
from tokens.endpoints.metadata import jwks_address
from tokens.models import KEY_ALGORITHMS, KeyState, SigningKey
from tokens.operations import JWKS_MAX_AGE, ready_at, revoke_signing_key, rotate_signing_keys

REVOKED_SHOWN = RETIRED_SHOWN = 3
ORDER = {KeyState.PREVIOUS: 0, KeyState.CURRENT: 1, KeyState.NEXT: 2}


class ConfirmForm(forms.Form):
    """The one field of a confirm page: the word that shows that somebody means it, "" where none is asked for."""

    confirmation = forms.CharField(max_length=64, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, word: str, label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.word = word
        self.fields["confirmation"].label = label
        self.fields["confirmation"].required = bool(word)
        self.fields["confirmation"].error_messages["required"] = f"Type {word} to confirm."
        self.fields["confirmation"].widget.attrs.update({"class": "mono", "autofocus": True, "spellcheck": "false"})

    def clean_confirmation(self) -> str:
        typed = self.cleaned_data["confirmation"].strip()
        if self.word and typed != self.word:
            raise ValidationError(f"Type {self.word} to confirm.")
        return typed


@console_page(read=VIEWER, write=ADMIN, section="keys")
@require_safe
def keys(request: ConsoleRequest) -> HttpResponse:
    """Show the keys of each algorithm in the order of their lives, and the last ones that were revoked."""
    rows = list(request.tenant.signing_keys.defer("private_jwk"))
    revoked = sorted((key for key in rows if key.state == KeyState.REVOKED), key=_revoked_at, reverse=True)
    context = {
        "families": families(rows),
        "revoked": revoked[:REVOKED_SHOWN],
        "waiting_until": waiting_until(rows),
        "max_age": JWKS_MAX_AGE,
        "jwks_url": jwks_address(request.tenant),
    }
    return render(request, "tokens/keys.html", context)


@console_page(read=ADMIN, write=ADMIN, section="keys")
def rotate(request: ConsoleRequest) -> HttpResponse:
    """Ask whether to rotate, and do it. With `?emergency=1`: now, whoever has not seen the next key yet."""
    emergency = (request.POST or request.GET).get("emergency") == "1"
    rows = list(request.tenant.signing_keys.defer("private_jwk"))
    form = ConfirmForm(_posted(request), word="rotate" if emergency else "", label="Type rotate to confirm")
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            rotate_signing_keys(request.tenant, request.actor, emergency=emergency)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, "Rotated. The next keys sign from now on; the previous ones still verify.")
            return redirect("tokens:keys", request.tenant.name)
    if request.method == "POST":
        status = 422
    context = {"form": form, "emergency": emergency, "families": families(rows), "waiting_until": waiting_until(rows)}
    return render(request, "tokens/keys_rotate.html", context | {"max_age": JWKS_MAX_AGE}, status=status)


@console_page(read=ADMIN, write=ADMIN, section="keys")
def revoke(request: ConsoleRequest, kid: str) -> HttpResponse:
    """Ask whether to take a previous key out of the key set, and do it."""
    key = find_or_404(request.tenant.signing_keys.all(), kid=kid)
    if key.state == KeyState.REVOKED:
        raise Http404
    word = key.kid[:8]
    form = ConfirmForm(_posted(request), word=word, label=f"Type {word} to confirm")
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            revoke_signing_key(key, request.actor)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, f"Revoked {word}…. It is out of the key set.")
            return redirect("tokens:keys", request.tenant.name)
    if request.method == "POST":
        status = 422
    return render(request, "tokens/key_revoke.html", {"key": key, "form": form, "word": word}, status=status)


@console_page(read=VIEWER, write=ADMIN, section="keys")
@require_safe
def certificate(request: ConsoleRequest, kid: str) -> HttpResponse:
    """Answer with a key's certificate, to be saved: what a verifier that knows no JWKS is given."""
    key = find_or_404(request.tenant.signing_keys.all(), kid=kid)
    response = HttpResponse(key.certificate, content_type="application/x-pem-file")
    response["Content-Disposition"] = f'attachment; filename="{key.alg.lower()}-{key.kid[:8]}.pem"'
    return response


def _posted(request: ConsoleRequest) -> Any:
    """Return what was posted, which may be nothing at all, or None when the page is only asked for."""
    return request.POST if request.method == "POST" else None


def families(rows: Iterable[SigningKey]) -> list[dict[str, Any]]:
    """Return for each algorithm its keys from previous to next, with what is worth knowing about each."""
    now = timezone.now()
    found = []
    for alg in KEY_ALGORITHMS:
        own = [key for key in rows if key.alg == alg and key.state in ORDER]
        own.sort(key=lambda key: (ORDER[KeyState(key.state)], key.created_at))
        shown = [described(key, now) for key in own]
        retired = [item for item in shown if item["retired"]]
        if own:
            found.append({"alg": alg, "keys": retired[-RETIRED_SHOWN:] + shown[len(retired) :]})
    return found


def described(key: SigningKey, now: Any) -> dict[str, Any]:
    """Return a key with what its place in time means."""
    retired = key.needed_until is not None and key.needed_until < now
    return {
        "key": key,
        "label": "Retired" if retired else key.get_state_display(),
        "retired": retired,
        "ready_at": ready_at(key) if key.state == KeyState.NEXT else None,
        "is_ready": key.state == KeyState.NEXT and ready_at(key) <= now,
        "public_jwk": {name: value for name, value in key.public_jwk.items() if name != "x5c"},
        "x5t": key.public_jwk.get("x5t", ""),
    }


def waiting_until(rows: Iterable[SigningKey]) -> Any:
    """Return from when on every next key is old enough to sign, None when they all are."""
    latest = max((ready_at(key) for key in rows if key.state == KeyState.NEXT), default=None)
    return latest if latest and latest > timezone.now() else None


def _revoked_at(key: SigningKey) -> Any:
    return key.revoked_at
