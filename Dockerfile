# The portal's production image: one image for web, worker, beat and the one-off migrate.

# 1. What the browser gets. Node is here and nowhere else.
FROM node:24-slim AS front-end
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --loglevel=error

# 2. Python packages, compiled translations and collected static files.
FROM python:3.13-slim-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends gettext \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv && pip install --no-cache-dir uv==0.13.9
ENV PATH="/opt/venv/bin:$PATH"
COPY requirements/base.txt /build/requirements.txt
RUN uv pip sync --no-cache --python /opt/venv/bin/python --compile-bytecode /build/requirements.txt
WORKDIR /srv/portal
COPY --from=front-end /build/node_modules/@cmsgov/design-system/dist/css node_modules/@cmsgov/design-system/dist/css
COPY --from=front-end /build/node_modules/@cmsgov/design-system/dist/fonts node_modules/@cmsgov/design-system/dist/fonts
COPY --from=front-end /build/node_modules/@cmsgov/design-system/dist/images node_modules/@cmsgov/design-system/dist/images
COPY . .
RUN find locale -name '*.po' -exec sh -c 'msgfmt --check-format -o "${1%.po}.mo" "$1"' _ {} \;
# Settings that pass the walls, with nothing behind them; none of them is kept in the image.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    PORTAL_URL=https://build.invalid ALLOWED_HOSTS=build.invalid \
    DATABASE_URL=postgresql://build.invalid/build REDIS_URL=redis://build.invalid/0 \
    STRIPE_SECRET_KEY=sk_live_build STRIPE_PUBLISHABLE_KEY=pk_live_build STRIPE_WEBHOOK_SECRET=whsec_build \
    DEFAULT_FROM_EMAIL=billing@build.invalid VAR_DIR=/srv/var \
    python manage.py collectstatic --no-input

# 3. What runs: Python, the libraries that print PDFs, a font, the portal.
FROM python:3.13-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core fonts-noto-core fonts-noto-cjk \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /srv/portal --shell /usr/sbin/nologin portal
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=billing_portal.settings \
    XDG_CACHE_HOME=/tmp/cache \
    VAR_DIR=/srv/var
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/portal /srv/portal
COPY --from=build /srv/var/static /srv/var/static
RUN mkdir -p /srv/var/media /srv/var/beat && chown portal /srv/var/media /srv/var/beat
WORKDIR /srv/portal
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-m", "billing_portal.probe"]
CMD ["gunicorn", "--config", "gunicorn.conf.py"]
