"""The admin as the curators' desk: the same site, under the product's name."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _


class CuratorSite(admin.AdminSite):
    site_header = _("Whybounce: the knowledge desk")
    site_title = _("Whybounce")
    index_title = _("What is known")
