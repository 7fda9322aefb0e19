from django.forms.renderers import TemplatesSetting


class Renderer(TemplatesSetting):
    """Draw forms with the project's own templates, so that every field of the site comes from one of them."""

    field_template_name = "components/field.html"
    form_template_name = "components/form.html"
