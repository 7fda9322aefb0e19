"""django-oauth-toolkit as its tutorial sets it up: its views, its models, its defaults."""
