from django.contrib.auth.management import create_permissions
from django.db import migrations


def add_permissions(apps, schema_editor):
    """The group Curators: what came since 0002 too. Permissions that somebody took from the group and that are older stay taken."""
    config = apps.get_app_config("knowledge")
    config.models_module = True  # as in 0002
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name="Curators")
    names = ["blocklist", "article", "examplecase", "publishjob", "patternuse"]
    names += [f"historical{name}" for name in names[:3]]
    permissions = apps.get_model("auth", "Permission").objects
    group.permissions.add(*permissions.filter(content_type__app_label="knowledge", content_type__model__in=names))


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0004_publishing_jobs")]
    operations = [migrations.RunPython(add_permissions, migrations.RunPython.noop)]
