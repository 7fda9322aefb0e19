"""Gatehouse's settings. Every value comes from the environment, typed and refused in `config.env`.

`docs/configuration.md` explains each variable; a test holds the two together. The defaults are safe: a server on
plain http answers on this machine only, everything else needs https.
"""

from pathlib import Path

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent

# Where this installation keeps its state

GATEHOUSE_DATA = Path(env.text("GATEHOUSE_DATA", str(BASE_DIR / "var"))).expanduser().resolve()
SECRETS_IN_DATA = not (env.text("GATEHOUSE_SECRET_KEY") and env.text("GATEHOUSE_ENCRYPTION_KEYS"))
_secrets_file = env.first_run_secrets(GATEHOUSE_DATA) if SECRETS_IN_DATA else {}
SECRET_KEY = env.text("GATEHOUSE_SECRET_KEY", _secrets_file.get("secret_key", ""))
SECRET_KEY_FALLBACKS = env.words("GATEHOUSE_SECRET_KEY_FALLBACKS", "")
GATEHOUSE_ENCRYPTION_KEYS = env.text("GATEHOUSE_ENCRYPTION_KEYS", _secrets_file.get("encryption_keys", ""))
DATABASES = {"default": env.database("DATABASE_URL", GATEHOUSE_DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Where people and applications find it

GATEHOUSE_ISSUER = env.origin("GATEHOUSE_ISSUER", "http://localhost:8000/")
GATEHOUSE_CONSOLE_URL = env.origin("GATEHOUSE_CONSOLE_URL", GATEHOUSE_ISSUER)
# For how long a database that does not answer may be done without, in seconds; 0 for not at all.
GATEHOUSE_MAX_STALENESS = env.whole_number("GATEHOUSE_MAX_STALENESS", 60, 0, 86400)
GATEHOUSE_TRUSTED_PROXIES = env.words("GATEHOUSE_TRUSTED_PROXIES", "127.0.0.1, ::1")
DEBUG = env.flag("GATEHOUSE_DEBUG", False)
HTTPS = GATEHOUSE_CONSOLE_URL.startswith("https://")
# Hosts are checked against the tenants by `config.middleware.Hosts`; a list in a file cannot know them.
ALLOWED_HOSTS = ["*"]
CSRF_TRUSTED_ORIGINS = [GATEHOUSE_CONSOLE_URL.rstrip("/")]

# The parts

INSTALLED_APPS = [
    "audit",
    "accounts",
    "apis",
    "applications",
    "tokens",
    "config.apps.OperatorsAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "django_htmx",
    "allauth",
    "allauth.account",
    "csp",
    "oauth2_provider",
]

MIDDLEWARE = [
    "config.middleware.TrustedProxy",
    "config.middleware.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.BodyLimit",
    "config.middleware.Hosts",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.PageHeaders",
    "config.errors.DatabaseAway",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
FORM_RENDERER = "config.forms.Renderer"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["config.template_tags"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.console",
            ],
        },
    }
]

# People who sign in

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.MemberBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.adapter.MemberAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "change_password": "accounts.forms.PasswordForm",
    "reauthenticate": "accounts.forms.ConfirmForm",
}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,8/300s/key", "reauthenticate": "10/m/user"}
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts:home"
SESSION_COOKIE_AGE = env.whole_number("GATEHOUSE_SESSION_HOURS", 12, 1, 720) * 3600
# allauth would otherwise offer "remember me" and stretch a session to its own three weeks.
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_SESSION_COOKIE_AGE = SESSION_COOKIE_AGE
SESSION_COOKIE_NAME = "__Host-gatehouse" if HTTPS else "gatehouse"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-gatehouse-csrf" if HTTPS else "gatehouse-csrf"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"

# Counters that several processes share: sign-in limits, quotas. The database, unless there is a Valkey or Redis.

_cache_url = env.text("CACHE_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": _cache_url}
    if _cache_url
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "cache",
        # Counters pushed out by others would begin again from nothing.
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

GATEHOUSE_COUNTERS_IN_CACHE = bool(_cache_url)

# How many days are kept of what traffic leaves behind. Serving processes clear away the rest, a few rows at a time.

GATEHOUSE_LOG_DAYS = env.whole_number("GATEHOUSE_LOG_DAYS", 30, 1, 3650)
GATEHOUSE_USAGE_DAYS = env.whole_number("GATEHOUSE_USAGE_DAYS", 400, 2, 3650)

# The OAuth toolkit: its models are swapped for ours, its views are never mounted.

OAUTH2_PROVIDER_APPLICATION_MODEL = "applications.Application"
OAUTH2_PROVIDER_GRANT_MODEL = "tokens.AuthorizationCode"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL = "tokens.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL = "tokens.RefreshToken"
OAUTH2_PROVIDER_ID_TOKEN_MODEL = "tokens.IDToken"
OAUTH2_PROVIDER_DEVICE_GRANT_MODEL = "tokens.Device"
OAUTH2_PROVIDER = {
    "PKCE_REQUIRED": True,
    "ALLOWED_REDIRECT_URI_SCHEMES": ["https", "http"],
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "ROTATE_REFRESH_TOKEN": True,
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 86400,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 0,
    "CIMD_ENABLED": False,
    # The toolkit registers admin pages of its own; these are shown instead.
    "APPLICATION_ADMIN_CLASS": "applications.admin.ApplicationAdmin",
    "ACCESS_TOKEN_ADMIN_CLASS": "tokens.admin.NotShown",
    "GRANT_ADMIN_CLASS": "tokens.admin.NotShown",
    "ID_TOKEN_ADMIN_CLASS": "tokens.admin.NotShown",
    "REFRESH_TOKEN_ADMIN_CLASS": "tokens.admin.NotShown",
    **{
        f"COMPLIANT_BCP_RFC9700_{rule}": True
        for rule in (
            "IMPLICIT_GRANT",
            "PASSWORD_GRANT",
            "PKCE_METHOD",
            "ACCESS_TOKEN_TRANSPORT",
            "AUTHZ_RESPONSE_ISS",
            "TOKEN_STORAGE",
            "REFRESH_TOKEN",
        )
    },
}

# What a browser is told

SECURE_HSTS_SECONDS = 31536000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}
# A body beyond this is refused before it is parsed: no form here is near it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
# Nothing is ever written to disk on the way in; the one form that takes a file takes a small one.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
APPEND_SLASH = False

STATIC_URL = "/static/"
STATIC_ROOT = GATEHOUSE_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_INDEX_FILE = False

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# Logs: one JSON object a line, on standard error

GATEHOUSE_LOG_LEVEL = env.choice("GATEHOUSE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING_CONFIG = "config.logs.configure"
LOGGING = {"level": GATEHOUSE_LOG_LEVEL}
SILENCED_SYSTEM_CHECKS = [
    # The toolkit's warning that http callbacks are allowed: only loopback ones are, by a rule on the application.
    "oauth2_provider.W008",
    # Hosts are checked against the tenants (config.middleware.Hosts).
    "security.W020",
    # Redirecting to https and HSTS for subdomains are decisions of the proxy in front.
    "security.W005",
    "security.W008",
    "security.W021",
]
