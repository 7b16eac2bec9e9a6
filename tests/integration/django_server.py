"""A token server with django-oauth-toolkit, and a bridge that accepts its tokens.

It decodes id and secret as in RFC 6749, 2.3.1: it splits at the colon first, then form-url-decodes both.
"""

from __future__ import annotations

from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path

from tests.integration.serving import CLIENTS, PAGE, READ, WRITE, serve

urlpatterns: list[Any] = []

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
    LOGGING_CONFIG=None,
    ROOT_URLCONF=__name__,
    SECRET_KEY="of tests",
    OAUTH2_PROVIDER={
        "SCOPES": {READ: "Read invoices", WRITE: "Write invoices"},
        "DEFAULT_SCOPES": [READ],
        "EXTRA_SERVER_KWARGS": {"token_expires_in": lambda request: CLIENTS[request.client.client_id][1]},
    },
)


def main() -> None:
    """Serve."""
    django.setup()
    # Django's models and their users can be imported only after the set-up.
    from oauth2_provider.decorators import protected_resource_metadata
    from oauth2_provider.models import AccessToken, Application
    from oauth2_provider.views import TokenView

    call_command("migrate", verbosity=0)
    for name, (secret, _) in CLIENTS.items():
        Application.objects.create(
            client_id=name,
            client_secret=secret,
            hash_client_secret=False,  # a hash takes a third of a second
            client_type=Application.CLIENT_CONFIDENTIAL,
            authorization_grant_type=Application.GRANT_CLIENT_CREDENTIALS,
        )
    protected = protected_resource_metadata([READ], resource_metadata_url="")
    urlpatterns.append(path("token", TokenView.as_view()))
    urlpatterns.append(path("bridge/<path:_>", protected(lambda request, _: JsonResponse(PAGE))))
    serve(get_wsgi_application(), lambda: AccessToken.objects.all().delete())


if __name__ == "__main__":
    main()
