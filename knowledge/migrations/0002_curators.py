from django.contrib.auth.management import create_permissions
from django.db import migrations


def make_group(apps, schema_editor):
    """The group Curators: may do everything with knowledge rows, and publish."""
    config = apps.get_app_config("knowledge")
    config.models_module = True  # create_permissions passes over apps without models, and a historical app says it has none
    create_permissions(config, apps=apps, verbosity=0)
    config.models_module = None
    group, _new = apps.get_model("auth", "Group").objects.get_or_create(name="Curators")
    group.permissions.set(apps.get_model("auth", "Permission").objects.filter(content_type__app_label="knowledge"))


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length"), ("contenttypes", "0002_remove_content_type_name")]
    operations = [migrations.RunPython(make_group, migrations.RunPython.noop)]
