"""Django's settings. What differs between installations comes from billing_portal.environment and nowhere else."""

import json

from csp import constants as csp
from django.utils.translation import gettext_lazy as _

from billing_portal import environment, logs, walls
from billing_portal.embedded import endpoints
from billing_portal.environment import origin
from billing_portal.schedule import SCHEDULE

ENVIRONMENT = environment.read()
walls.refuse_weak(ENVIRONMENT)

BASE_DIR = environment.BASE_DIR
IS_DEMO = ENVIRONMENT.is_demo
# The demo's clock, and that of tests which let months pass, is put forward on purpose: the database's decides nothing.
IS_CLOCK_MOVED = not ENVIRONMENT.is_production
DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key.get_secret_value() or walls.THROWAWAY_KEY
SECRET_KEY_FALLBACKS = [key for key in ENVIRONMENT.secret_key_fallbacks.get_secret_value().split(",") if key]
ALLOWED_HOSTS = [host.strip() for host in ENVIRONMENT.allowed_hosts.split(",") if host.strip()] or [
    "127.0.0.1",
    "localhost",
    "testserver",
]

PORTAL_NAME = ENVIRONMENT.portal_name
PORTAL_URL = ENVIRONMENT.portal_url.rstrip("/")
SUPPORT_PHONE = ENVIRONMENT.support_phone
SUPPORT_TTY = ENVIRONMENT.support_tty
SUPPORT_HOURS = ENVIRONMENT.support_hours
SUPPORT_LANGUAGES = ENVIRONMENT.support_languages
SUPPORT_ANSWER_DAYS = ENVIRONMENT.support_answer_days

INSTALLED_APPS = [
    "billing_portal.admin_site.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "pgtrigger",
    "django_cotton",
    "django_htmx",
    "django_filters",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "ledger",
    "activity",
    "accounts",
    "bills",
    "payments",
    "assistance",
    "support",
    "notifications",
]

MIDDLEWARE = [
    "billing_portal.headers.PrivacyHeadersMiddleware",
    "accounts.uploads.limits.BodyLimitMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "accounts.sessions.SessionLimitsMiddleware",
    "payments.card_numbers.CardNumberMiddleware",
    "accounts.policies.PolicyMiddleware",
    "accounts.rate_limits.RateLimitsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "billing_portal.urls"
WSGI_APPLICATION = "billing_portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "billing_portal.context.portal",
                "notifications.context.unread",
            ],
        },
    },
]

DATABASES = {"default": endpoints.database(ENVIRONMENT)}
DATABASES["default"].update({"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": True, "ATOMIC_REQUESTS": False})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = endpoints.redis_url(ENVIRONMENT)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 3, "socket_connect_timeout": 2},
    }
}
SESSION_ENGINE = "accounts.session_store"

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "overview"
LOGOUT_REDIRECT_URL = "account_login"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("es", _("Spanish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = ENVIRONMENT.time_zone

VAR_DIR = ENVIRONMENT.var_dir
STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.var_dir / "static"
DESIGN_SYSTEM = BASE_DIR / "node_modules" / "@cmsgov" / "design-system" / "dist"
ALTCHA = BASE_DIR / "node_modules" / "altcha" / "dist"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    *((f"cmsgov/{part}", DESIGN_SYSTEM / part) for part in ("css", "fonts", "images")),
    *((f"altcha/{part}", ALTCHA / part) for part in ("external", "i18n", "workers")),
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if ENVIRONMENT.is_production
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_USE_FINDERS = not ENVIRONMENT.is_production  # the demo and the tests need no collectstatic
MEDIA_ROOT = ENVIRONMENT.var_dir / "media"
# What members send: accounts/uploads. Never served from the folder itself.
UPLOADS_DIR = ENVIRONMENT.var_dir / "uploads"
CLAMAV_ADDRESS = ENVIRONMENT.clamav_address
IS_PRODUCTION = ENVIRONMENT.is_production
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

STRIPE_SECRET_KEY = ENVIRONMENT.stripe_secret_key.get_secret_value()
STRIPE_PUBLISHABLE_KEY = ENVIRONMENT.stripe_publishable_key
STRIPE_WEBHOOK_SECRETS = [
    secret.get_secret_value()
    for secret in (ENVIRONMENT.stripe_webhook_secret, ENVIRONMENT.stripe_webhook_secret_previous)
    if secret.get_secret_value()
]
STRIPE_API_BASE = ENVIRONMENT.stripe_api_base.rstrip("/")
STRIPE_JS_URL = ENVIRONMENT.stripe_js_url
STRIPE_TIMEOUT_SECONDS = ENVIRONMENT.stripe_timeout_seconds
# By kind of bill, so that a medical payment and a premium read differently on a card's statement (decision 0305).
STRIPE_DESCRIPTORS = {
    "medical": ENVIRONMENT.stripe_descriptor_medical,
    "premium": ENVIRONMENT.stripe_descriptor_premium,
}

SCHEDULE_DAYS_AHEAD = ENVIRONMENT.schedule_days_ahead
SCHEDULE_CUT_OFF_HOURS = ENVIRONMENT.schedule_cut_off_hours
AUTOPAY_PER_SECOND = ENVIRONMENT.autopay_per_second
AUTOPAY_THREADS = ENVIRONMENT.autopay_threads
LETTER_SOURCES = ["assistance.letters.papers"]  # of apps above payments, for the list of documents (payments.papers)
REFUND_SECOND_PERSON_CENTS = ENVIRONMENT.refund_second_person_cents
RETURN_FEES = ENVIRONMENT.return_fees

GUEST_PAY_FACTS = [fact.strip() for fact in ENVIRONMENT.guest_pay_facts.split(",") if fact.strip()]
GUEST_PAY_LOOKUPS_AN_HOUR = ENVIRONMENT.guest_pay_lookups_an_hour
GUEST_PAY_CHARGES_AN_HOUR = ENVIRONMENT.guest_pay_charges_an_hour
GUEST_PAY_MIN_CENTS = ENVIRONMENT.guest_pay_min_cents
GUEST_LINK_DAYS = ENVIRONMENT.guest_link_days

EMAIL_BACKEND = ENVIRONMENT.email_backend
ANYMAIL = json.loads(ENVIRONMENT.anymail.get_secret_value() or "{}")
EMAIL_PER_SECOND = ENVIRONMENT.email_per_second
MAIL_WEBHOOK_SECRET = ENVIRONMENT.mail_webhook_secret.get_secret_value()
SMS_BACKEND = ENVIRONMENT.sms_backend
SMS_WEBHOOK_SECRET = ENVIRONMENT.sms_webhook_secret.get_secret_value()
EMAIL_HOST = ENVIRONMENT.email_host
EMAIL_PORT = ENVIRONMENT.email_port
EMAIL_HOST_USER = ENVIRONMENT.email_host_user
EMAIL_HOST_PASSWORD = ENVIRONMENT.email_host_password.get_secret_value()
EMAIL_USE_TLS = ENVIRONMENT.email_use_tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = ENVIRONMENT.default_from_email

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600, "socket_timeout": 5, "socket_connect_timeout": 2}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = SCHEDULE

# Headers, cookies and sessions. Idle and overall limits: accounts/sessions.py (FAULTS H14).
IS_SECURE = ENVIRONMENT.is_production
SECURE_SSL_REDIRECT = IS_SECURE
SECURE_HSTS_SECONDS = 31_536_000 if IS_SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_SECURE
SECURE_HSTS_PRELOAD = IS_SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.secure_proxy_ssl_header else None
SECURE_REDIRECT_EXEMPT = [r"^health/"]
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_NAME = "__Host-session" if IS_SECURE else "session"
SESSION_COOKIE_SECURE = IS_SECURE
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 24 * 3600  # how long the row is kept; how long it is good for: accounts/sessions.py
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_SECURE else "csrf"
CSRF_COOKIE_SECURE = IS_SECURE
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
LANGUAGE_COOKIE_SECURE = IS_SECURE
LANGUAGE_COOKIE_SAMESITE = "Lax"
STRIPE_ORIGIN = "https://js.stripe.com"
STRIPE_JS_ORIGIN = origin(STRIPE_JS_URL)
# What the pages on which a card is typed may load besides ours (payments.pages), and no other page (FAULTS M03).
# Stripe's security guide names its hosts; the sandbox serves all of it from one origin.
STRIPE_HOSTS = sorted({STRIPE_JS_ORIGIN, origin(STRIPE_API_BASE)})
if STRIPE_JS_ORIGIN == STRIPE_ORIGIN:
    STRIPE_HOSTS += ["https://*.js.stripe.com", "https://hooks.stripe.com"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.SELF],
        "script-src": [csp.SELF, csp.NONCE],
        "style-src": [csp.SELF],
        "img-src": [csp.SELF, "data:"],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "frame-ancestors": [csp.NONE],
        "form-action": [csp.SELF],
        "base-uri": [csp.NONE],
        "object-src": [csp.NONE],
        "report-uri": ENVIRONMENT.csp_report_uri or None,
    }
}

AUTHENTICATION_BACKENDS = ["accounts.backends.AuthenticationBackend"]
if ENVIRONMENT.portal_environment == "test":
    # A slow hash is the point of a hash, and of the tests' time: some 0.6 s a person.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "accounts.passwords.BreachedPasswordValidator"},
    {"NAME": "accounts.passwords.GuessablePasswordValidator"},
]

ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.sign_in_forms.SignupForm",
    "reset_password": "accounts.sign_in_forms.ResetPasswordForm",
}
ACCOUNT_USER_DISPLAY = "accounts.adapters.display_name"
ACCOUNT_RATE_LIMITS = False  # ours instead: accounts/rate_limits.py
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False  # the session that changes it goes on, all others end
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_SECURE else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_FORMS = {
    "authenticate": "accounts.sign_in_forms.AuthenticateForm",
    "reauthenticate": "accounts.sign_in_forms.ReauthenticateForm",
}
MFA_RATE_LIMITS = False
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = PORTAL_NAME
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_SECURE
USERSESSIONS_TRACK_ACTIVITY = False  # accounts/sessions.py writes it down, once a minute
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.trusted_proxies

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
}

LOGGING = logs.configuration(ENVIRONMENT.log_level)
