"""The operators' door: Django's admin, with every write made by one of our operations."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.access import actor_of
from accounts.editing import is_stale, refuse, show_saved
from audit.operator_pages import OperatorPages


class OperationPages(OperatorPages):
    """Pages that change rows through `create`, `update` and `remove`; what a subclass leaves out is not offered.

    A ValidationError that an operation raises is shown by the form it came from, or as a message where there is none.
    """

    # create(form, by) and update(row, form, by) return the row; remove(row, by).
    create: Any = None
    update: Any = None
    remove: Any = None
    add_form: type[forms.ModelForm] | None = None
    permanent: list[str] = []

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.create is not None and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.update is not None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.remove is not None and super().has_delete_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.permanent if obj is not None else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        # What a row is comes first, what may be changed of it after that.
        first = {name: place for place, name in enumerate(self.permanent)}
        return sorted(super().get_fields(request, obj), key=lambda name: first.get(name, len(first)))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None and self.add_form is not None:
            kwargs["form"] = self.add_form
        # A form may have a field of its own for what the model calls not editable: Django must not look for it there.
        meta = getattr(kwargs.get("form", self.form), "Meta", None)
        if meta is not None and kwargs.get("fields") is not None:
            kwargs["fields"] = [name for name in meta.fields if name in kwargs["fields"]]
        form = super().get_form(request, obj, change=change, **kwargs)
        refusal = getattr(request, "refusal", None)
        return _refused(form, refusal) if refusal else form

    def get_formsets_with_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        # Rows below a form are for reading only. What is sent back of them is not looked at, so that a row that came or
        # went in the meantime cannot be in the way.
        return super().get_formsets_with_inlines(request, obj) if request.method == "GET" else ()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as refusal:
            # Everything was rolled back. The same page once more, with the refusal on its form.
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        by = actor_of(request)
        saved = self.update(obj, form, by) if change else self.create(form, by)
        # Django goes on with `obj`: for its own log, and for the address of the next page.
        obj.__dict__.update(saved.__dict__)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Do nothing: the operation has saved it all."""

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        # The operation forgets the row's key, which Django still wants for its answer.
        key = obj.pk
        self.remove(obj, actor_of(request))
        obj.pk = key

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        for row in queryset:
            self.remove(row, actor_of(request))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        shown, count, needed, protected = super().get_deleted_objects(objs, request)
        # Whoever may delete a row may delete what goes with it; the operation has the last word.
        return shown, count, {name for name in needed if name == self.opts.verbose_name}, protected

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            return super().delete_view(request, object_id, extra_context)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
            return redirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[object_id]))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        try:
            # All of the chosen rows, or none of them.
            with transaction.atomic():
                return super().changelist_view(request, extra_context)
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
            return redirect(request.get_full_path())


def values(form: forms.ModelForm, of: Any) -> dict[str, Any]:
    """Return the form's values for the fields of the console's form class `of`."""
    return {name: form.cleaned_data[name] for name in of.Meta.fields if name in form.cleaned_data}


def _refused(form: type[forms.ModelForm], refusal: ValidationError) -> type[forms.ModelForm]:
    class Refused(form):  # type: ignore[misc, valid-type]
        def full_clean(self) -> None:
            super().full_clean()
            if not self.is_bound:
                return
            refuse(self, refusal)
            saved = type(self.instance)._default_manager.filter(pk=self.instance.pk).first()
            if saved is not None and is_stale(self):
                getattr(self, "show_saved", partial(show_saved, self))(saved)

    return Refused
